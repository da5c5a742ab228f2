"""Enter a model elsewhere into the book of models, after it has shown that it answers."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from django.conf import settings
from django.utils import timezone

from inference import deadlines, kinds, weights
from inference.errors import UnknownKind
from inference.examples import Trained
from inference.kinds.inspection import SIDE
from inference.models import ModelVersion
from inference.predictions import Scores
from inference.remote.asking import ask
from inference.remote.describing import describe, manifest_from
from inference.remote.manifest import Manifest, parse
from inference.remote.pixels import Encoder
from inference.remote.wire import Wire
from inference.runtimes.oip import OpenInference
from inference.training import create_version


@dataclass(frozen=True, slots=True)
class Probe:
    """What a model said of two test pictures, one after the other and together."""

    scores: tuple[Scores, ...]
    version: str
    milliseconds: float


@dataclass(frozen=True, slots=True)
class Registered:
    """The entry in the book; `new` is False where the very same manifest was there already."""

    version: ModelVersion
    manifest: Manifest
    probe: Probe
    server: str
    new: bool


def register(kind: str, url: str, model: str, chosen: Mapping[str, Any]) -> Registered:
    """Ask the server what it has, send it a probe, and enter the model. `chosen` is by the names of `Manifest`.

    Raises `ModelUnavailable` where it does not answer or answers rubbish, `ManifestRefused` where it cannot be asked from
    here, `UnknownKind`. Nothing is entered then.
    """
    if kind not in kinds.names():
        raise UnknownKind(f"There is no kind {kind!r}; there are: {', '.join(kinds.names())}.")
    # Checks the address before anything is sent to it; the names of the tensors are filled in later.
    asked = Manifest(**{"input_name": "-", "output_name": "-", "binary": True, **_address(chosen), "url": url, "model": model})
    wire = Wire(url, asked.token_env)
    try:
        with deadlines.within(settings.MODEL_TIMEOUT_SECONDS):
            described = describe(wire, asked.path)
            manifest = manifest_from(described, {**chosen, "url": url, "model": model})
            found = probe(manifest, wire)
    finally:
        wire.close()
    manifest = replace(manifest, served_version=found.version)
    version, new = _enter(kind, manifest, described.server, found)
    return Registered(version, manifest, found, described.server, new)


def check(version: ModelVersion) -> Probe:
    """Ask a registered model now. Raises `ModelUnavailable` and `ManifestRefused`."""
    _, spec = weights.load(version.weights_digest)
    manifest = parse(spec)
    wire = Wire(manifest.url, manifest.token_env)
    try:
        with deadlines.within(settings.MODEL_TIMEOUT_SECONDS):
            wire.get(f"{manifest.path}/ready")
            return probe(manifest, wire)
    finally:
        wire.close()


def probe(manifest: Manifest, wire: Wire) -> Probe:
    """Ask for two pictures, one by one and, where it takes batches, together. Raises `RemoteFailed`."""
    encoder = Encoder(manifest)
    pictures = np.stack([np.zeros((SIDE, SIDE, 3), np.uint8), np.full((SIDE, SIDE, 3), 255, np.uint8)])
    first, version = ask(manifest, encoder, wire, pictures[:1])
    started = time.monotonic()
    second, _ = ask(manifest, encoder, wire, pictures[1:])
    took = (time.monotonic() - started) * 1000
    if manifest.most > 1:
        ask(manifest, encoder, wire, pictures)
    return Probe((*first, *second), version, took)


def _address(chosen: Mapping[str, Any]) -> dict[str, Any]:
    return {name: chosen[name] for name in ("classes", "version", "token_env", "activation") if name in chosen}


def _enter(kind: str, manifest: Manifest, server: str, found: Probe) -> tuple[ModelVersion, bool]:
    card = _card(manifest, server, found)
    digest = weights.store({}, manifest.as_spec(), card)
    known = ModelVersion.objects.filter(weights_digest=digest, kind=kind).first()
    if known is not None:
        return known, False
    trained = Trained(digest, card, kind, OpenInference.name, manifest.classes)
    return create_version(trained, {}, "", stem=f"remote-{manifest.model[:50]}"), True


def _card(manifest: Manifest, server: str, found: Probe) -> dict[str, Any]:
    """Return what people read about it: first what names it, then how it is asked."""
    return {
        "runs_at": manifest.url,
        "model": manifest.model,
        "served_version": manifest.served_version or "the server names none",
        "server": server,
        "sent_as": f"{manifest.datatype} in {'binary' if manifest.binary else 'JSON'}, at most {manifest.most} a request",
        "milliseconds_a_picture": round(found.milliseconds, 1),
        "registered": timezone.now().isoformat(timespec="seconds"),
        "manifest": asdict(manifest),
    }
