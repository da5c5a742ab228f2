"""The dense network: features, a head that judges every place, and what makes probabilities of it."""

from __future__ import annotations
