"""MLServer, in process; a photo comes as base64 in the Open Inference Protocol's JSON."""

from __future__ import annotations

import scoring
from mlserver import MLModel
from mlserver.codecs import Base64Codec, NumpyCodec
from mlserver.types import InferenceRequest, InferenceResponse
from numpy import array


class Photos(MLModel):
    """Photo in, scores out."""

    async def load(self) -> bool:
        """Load the model."""
        self._score = scoring.load()
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        """Score the photo of the first input."""
        (data,) = Base64Codec.decode_input(payload.inputs[0])
        shares = array([list(self._score(data).values())])
        return InferenceResponse(model_name=self.name, outputs=[NumpyCodec.encode_output("scores", shares)])
