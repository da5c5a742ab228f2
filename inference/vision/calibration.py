"""Make confidence mean something: one temperature and one floor, fitted on the validation split.

Temperature scaling is Guo et al., "On calibration of modern neural networks" (2017). Two things are added for the little
data that a young line has: a prior that keeps the temperature near 1 until evidence moves it, and a floor that keeps any
probability from being surer than that many validation examples could ever show.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

Logits = npt.NDArray[np.floating]
# Bounds of the temperature, and the deviation of its logarithm that the prior expects.
COLDEST, HOTTEST = 0.25, 8.0
PRIOR_DEVIATION = 0.5


@dataclass(frozen=True, slots=True)
class Calibration:
    """How logits become probabilities.

    Those of pictures are divided by `temperature`, and of the probabilities `floor` is shared out evenly; `examples` fitted
    both. `good_places` is added to the logit of the negative at each place.
    """

    temperature: float
    floor: float
    examples: int
    good_places: float = 0.0

    def probabilities(self, logits: Logits) -> Logits:
        """Return calibrated probabilities [n, classes] for logits [n, classes]. The order of classes never changes."""
        shares = _shares(logits / self.temperature)
        calibrated: Logits = shares * (1 - self.floor) + self.floor / logits.shape[1]
        return calibrated

    def of_places(self, logits: Logits) -> Logits:
        """Return probabilities [n, classes, h, w] for logits of places."""
        shifted = logits.copy()
        shifted[:, 0] += self.good_places
        return _shares(shifted)


def _shares(logits: Logits) -> Logits:
    """Return the softmax over the classes; the library's own takes ten times as long for so few numbers."""
    raised: Logits = np.exp(logits - logits.max(axis=1, keepdims=True))
    raised /= raised.sum(axis=1, keepdims=True)
    return raised


def fit(logits: Logits, answers: npt.NDArray[np.integer], good_places: float) -> Calibration:
    """Fit to validation logits [n, classes] and the index of each true class [n]; n may be 0."""
    count = len(answers)
    rows = np.arange(count)

    def loss(log_temperature: float) -> float:
        fit_loss = -log_softmax(logits / math.exp(log_temperature), axis=1)[rows, answers].sum()
        return float(fit_loss) + log_temperature**2 / (2 * PRIOR_DEVIATION**2)

    found = minimize_scalar(loss, bounds=(math.log(COLDEST), math.log(HOTTEST)), method="bounded")
    return Calibration(math.exp(found.x), 0.5 / (count + 1), count, good_places)
