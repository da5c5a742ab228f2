"""A small network trained from scratch, for where the pretrained one is not installed."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from inference.vision.base import Backbone

NAME = "scratch"
# Half of the working size: on few images a network from scratch learned more at 128 pixels than at 192 or 256.
SIDE = 112
WIDTHS = (16, 32, 48, 64)


class Scratch(Backbone):
    """Three halvings from 112 to 14 places. About 47,000 weights, stored with the head's."""

    channels = WIDTHS[-1]
    digest = None

    def __init__(self) -> None:
        super().__init__()
        widths = (3, *WIDTHS)
        strides = (2, 2, 2, 1)
        self.layers = nn.Sequential(*(_layer(widths[i], widths[i + 1], strides[i]) for i in range(len(WIDTHS))))

    def forward(self, pixels: Tensor) -> Tensor:
        """Return float [n, channels, 14, 14] for uint8 [n, 224, 224, 3]."""
        images = (pixels.permute(0, 3, 1, 2).float() - 127) / 128
        features: Tensor = self.layers(functional.interpolate(images, (SIDE, SIDE), mode="area"))
        return features


def _layer(inputs: int, outputs: int, stride: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)
    )
