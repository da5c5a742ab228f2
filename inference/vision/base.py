"""What every backbone is, whichever is installed."""

from __future__ import annotations

from torch import Tensor, nn

GRID = 14


class Backbone(nn.Module):
    """A module from uint8 [n, 224, 224, 3] to features, float [n, channels, 14, 14]."""

    channels: int
    # Frozen: its weights are not stored with the head's, but named by this digest. None: it is trained, and stored with them.
    digest: str | None

    def __call__(self, pixels: Tensor) -> Tensor:
        """Return the features of pixels."""
        features: Tensor = super().__call__(pixels)
        return features
