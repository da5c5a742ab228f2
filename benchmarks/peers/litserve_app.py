"""LitServe, as its documentation has it: one worker a core."""

from __future__ import annotations

import os
from typing import Annotated

import litserve
import scoring
from fastapi import Depends, Request


async def body(request: Request) -> bytes:
    """Return the plain bytes, the leanest that goes from its server to its workers."""
    return await request.body()


class Photos(litserve.LitAPI):
    """Photo in, scores out."""

    def setup(self, device):
        """Load the model."""
        self.score = scoring.load()

    def decode_request(self, request):
        """Take the body."""
        return request

    def predict(self, data):
        """Score it."""
        return self.score(bytes(data))

    def encode_response(self, output):
        """Answer as JSON."""
        return output


# It looks at the annotation itself, which must not be text.
Photos.decode_request.__annotations__["request"] = Annotated[bytes, Depends(body)]

if __name__ == "__main__":
    litserve.LitServer(Photos(), accelerator="cpu", workers_per_device=2).run(
        port=int(os.environ["PORT"]), generate_client_file=False, log_level="error"
    )
