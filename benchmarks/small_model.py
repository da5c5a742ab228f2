"""A network of about 50 million multiplications a photo, with which a gateway's own cost shows; its weights are random.

It is the product's network with another backbone. A server needs none of this file: it finds the graph made.
"""

from __future__ import annotations

import io

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from inference import graphs, weights
from inference.vision import backbone
from inference.vision.backbone import Choice
from inference.vision.base import Backbone
from inference.vision.calibration import Calibration
from inference.vision.export import to_onnx
from inference.vision.network import Network

NAME = "benchmark-50"
SIDE = 224
WIDTHS = (3, 16, 32, 48, 64, 64)
STRIDES = (2, 2, 2, 2, 1)
CLASSES = ("ok", "scratch", "dent")
RUNTIME = "onnxruntime"
# A temperature of one: as the network says it.
PLAIN = Calibration(temperature=1.0, floor=0.001, examples=500)


class Small(Backbone):
    """Four halvings from 224 to 14 places."""

    channels = WIDTHS[-1]
    digest = None

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for index, stride in enumerate(STRIDES):
            before, after = WIDTHS[index], WIDTHS[index + 1]
            layers += [nn.Conv2d(before, after, 3, stride=stride, padding=1, bias=False), nn.BatchNorm2d(after), nn.ReLU()]
        self.layers = nn.Sequential(*layers)

    def forward(self, pixels: Tensor) -> Tensor:
        """Return float [n, channels, 14, 14] for uint8 [n, 224, 224, 3]."""
        found: Tensor = self.layers((pixels.permute(0, 3, 1, 2).float() - 127) / 128)
        return found


backbone.CHOICES[NAME] = Choice(Small, lambda: True)


def network(name: str = NAME) -> Network:
    """Return the network on a backbone by name, with weights of a fixed seed, ready to answer."""
    torch.manual_seed(7)
    made = Network(name, len(CLASSES)).eval()
    # Random heads see defects everywhere, and finding a region for every speck is no line's daily work.
    with torch.no_grad():
        for member in made.head.members:
            member.judge.bias[0] += 4.0
    return made


def store(name: str = NAME) -> str:
    """Store the weights and their graph where the product looks for them, and return the digest of the weights."""
    made = network(name)
    digest = weights.store(made.tensors(), made.spec(CLASSES, PLAIN), {"benchmark": True, "seed": 7})
    graphs.kept(digest, lambda: to_onnx(made, SIDE))
    return digest


def photos(count: int = 32, size: tuple[int, int] = (640, 480)) -> list[bytes]:
    """Return JPEG photos of about 60 KB: soft shapes, an edge, and a sensor's noise."""
    generator = np.random.default_rng(11)
    return [_photo(generator, size) for _ in range(count)]


def _photo(generator: np.random.Generator, size: tuple[int, int]) -> bytes:
    across, down = np.meshgrid(np.arange(size[0]), np.arange(size[1]))
    waves = [np.sin(across / generator.uniform(20, 60)) + np.cos(down / generator.uniform(20, 60)) for _ in range(3)]
    picture = 128 + 50 * np.stack(waves, axis=-1) + generator.normal(0, 7, (size[1], size[0], 3))
    left, top = generator.integers(0, size[0] // 2), generator.integers(0, size[1] // 2)
    picture[top : top + 120, left : left + 160] += 40
    out = io.BytesIO()
    Image.fromarray(np.clip(picture, 0, 255).astype(np.uint8)).save(out, "JPEG", quality=85)
    return out.getvalue()
