"""LitServe, as its documentation has it: one worker a core."""

from __future__ import annotations

import os

import litserve
import scoring
from fastapi import Request


class Photos(litserve.LitAPI):
    """Photo in, scores out."""

    def setup(self, device):
        """Load the model."""
        self.score = scoring.load()

    async def decode_request(self, request: Request):
        """Take the body."""
        return await request.body()

    def predict(self, data):
        """Score it."""
        return self.score(bytes(data))

    def encode_response(self, output):
        """Answer as JSON."""
        return output


if __name__ == "__main__":
    litserve.LitServer(Photos(), accelerator="cpu", workers_per_device=2).run(
        port=int(os.environ["PORT"]), generate_client_file=False, log_level="error"
    )
