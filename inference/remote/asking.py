"""One question to a model elsewhere, from pixels to scores."""

from __future__ import annotations

from inference.kinds.base import Pixels
from inference.predictions import Scores
from inference.remote import answers, messages
from inference.remote.errors import RemoteFailed
from inference.remote.manifest import Manifest
from inference.remote.pixels import Encoder
from inference.remote.wire import Wire


def ask(manifest: Manifest, encoder: Encoder, wire: Wire, batch: Pixels) -> tuple[list[Scores], str]:
    """Return the scores of uint8 [n, side, side, 3] and the version of the model that gave them. Raises `RemoteFailed`."""
    body, headers = messages.request(manifest, encoder, batch)
    reply = wire.post(f"{manifest.path}/infer", body, headers)
    tensors, version = messages.response(reply.body, reply.headers)
    expected = manifest.served_version
    if expected and version != expected:
        # What is known of a model, its certificates above all, is known of this version.
        raise RemoteFailed(f"The server answers with version {version[:40]!r} of the model; registered is {expected!r}.")
    return answers.scores(manifest, tensors, len(batch)), version
