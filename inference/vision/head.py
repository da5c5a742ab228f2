"""The trained part: evidence for every class at every place, and from it the class of the picture."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

# How sharply the strongest places outweigh the others in the evidence of a picture: 0 would be the maximum alone.
SOFTNESS = 0.5
# Examples, at least, by which features are standardised where there are more.
MEASURED = 500


class Evidence(NamedTuple):
    """Logits: `places` [n, classes, 14, 14] and `picture` [n, classes]."""

    places: Tensor
    picture: Tensor


class DenseHead(nn.Module):
    """Two small convolutions judge each place; the picture is its strongest places plus what all of them have in common."""

    def __init__(self, channels: int, classes: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.narrow = nn.Sequential(nn.Conv2d(channels, hidden, 1, bias=False), nn.BatchNorm2d(hidden), nn.ReLU())
        self.look = nn.Sequential(nn.Conv2d(hidden, hidden, 3, padding=1, bias=False), nn.BatchNorm2d(hidden), nn.ReLU())
        self.judge = nn.Conv2d(hidden, classes, 1)
        self.whole = nn.Linear(2 * channels, classes)
        self.scale = nn.Parameter(torch.ones(classes))
        self.offset = nn.Parameter(torch.zeros(classes))
        self.drop_maps, self.drop = nn.Dropout2d(dropout), nn.Dropout(dropout)

    def forward(self, features: Tensor) -> Evidence:
        """Return logits for features [n, channels, 14, 14]."""
        places = self.judge(self.drop(self.look(self.drop_maps(self.narrow(features)))))
        common = torch.cat([features.mean((2, 3)), features.amax((2, 3))], dim=1)
        return Evidence(places, strongest(places) * self.scale + self.offset + self.whole(self.drop(common)))


def strongest(places: Tensor) -> Tensor:
    """Pool [n, classes, h, w] to [n, classes]: a soft maximum for defects, which are small; the mean for the negative.

    The soft maximum is the log-mean-exp of Pinheiro and Collobert (2015).
    """
    flat = places.flatten(2)
    soft = SOFTNESS * (torch.logsumexp(flat[:, 1:] / SOFTNESS, dim=2) - math.log(flat.shape[2]))
    return torch.cat([flat[:, :1].mean(2), soft], dim=1)


class Committee(nn.Module):
    """Several heads that started differently. Their mean errs less than each, and less surely, at little cost."""

    def __init__(self, channels: int, classes: int, *, hidden: int = 32, members: int = 4, dropout: float = 0.1) -> None:
        super().__init__()
        self.members = nn.ModuleList(DenseHead(channels, classes, hidden, dropout) for _ in range(members))

    def forward(self, features: Tensor) -> list[Evidence]:
        """Return the logits of each member."""
        return [member(features) for member in self.members]


def mean(found: Sequence[Evidence]) -> Evidence:
    """Return the mean logits of several heads."""
    return Evidence(torch.stack([one.places for one in found]).mean(0), torch.stack([one.picture for one in found]).mean(0))


class Standardise(nn.Module):
    """Shift and scale each channel to mean 0 and deviation 1, as measured on the training features."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(1, channels, 1, 1))
        self.register_buffer("deviation", torch.ones(1, channels, 1, 1))

    def fit(self, features: Tensor) -> None:
        """Take mean and deviation from [n, channels, h, w]; of many examples, some are enough and save the memory."""
        wide = features[:: max(1, len(features) // MEASURED)].float()
        self.mean = wide.mean((0, 2, 3), keepdim=True)
        # A channel that never varied says nothing; dividing by its zero deviation would make it shout.
        self.deviation = wide.std((0, 2, 3), keepdim=True).clamp(min=1e-3)

    def forward(self, features: Tensor) -> Tensor:
        """Return the standardised features as float."""
        return (features.float() - self.mean) / self.deviation
