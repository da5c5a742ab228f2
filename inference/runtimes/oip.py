"""Ask a model elsewhere: KServe, Triton, MLServer, Ray Serve and whatever else speaks the Open Inference Protocol v2."""

from __future__ import annotations

from functools import partial

from django.conf import settings

from inference import deadlines, weights
from inference.errors import ModelUnavailable
from inference.kinds.base import Pixels
from inference.predictions import Scores
from inference.remote.asking import ask
from inference.remote.errors import ManifestRefused
from inference.remote.links import Link, links
from inference.remote.manifest import Manifest, parse
from inference.remote.pixels import Encoder
from inference.runtimes.base import Predictor, Runtime, Weighted


class OpenInference(Runtime):
    """Open Inference Protocol v2 over HTTP, JSON or binary."""

    name = "oip"

    def load(self, version: Weighted) -> Predictor:
        """Return the model of `version`. Raises `ModelUnavailable` for a manifest that is missing, changed or not for here.

        No server is asked: one that hangs must not keep models of this process from being loaded.
        """
        _, spec = weights.load(version.weights_digest)
        try:
            manifest = parse(spec)
            encoder = Encoder(manifest)
        except ManifestRefused as error:
            raise ModelUnavailable(f"The manifest {version.weights_digest[:12]} doesn't fit this program: {error}") from error
        return RemotePredictor(version.kind, manifest, encoder, links.of(version.weights_digest, manifest))


class RemotePredictor:
    """A model elsewhere that answers."""

    def __init__(self, kind: str, manifest: Manifest, encoder: Encoder, link: Link) -> None:
        self.kind = kind
        self._manifest = manifest
        self._encoder = encoder
        self._link = link

    def predict(self, batch: Pixels) -> list[Scores]:
        """Return the scores of uint8 [n, 224, 224, 3]. Raises `ModelUnavailable`."""
        limit = settings.MODEL_TIMEOUT_SECONDS
        found: list[Scores] = []
        with deadlines.within(limit):
            for start in range(0, len(batch), self._manifest.most):
                found += self._link.call(partial(self._ask, batch[start : start + self._manifest.most]), limit)
        return found

    def _ask(self, batch: Pixels) -> list[Scores]:
        return ask(self._manifest, self._encoder, self._link.wire, batch)[0]
