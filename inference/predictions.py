"""What a model says about one item, and how to read what a caller's own model says."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from inference.errors import InputRefused

MAX_REGIONS = 100
# Probabilities are often printed with two digits each; a sum further off than this is a mistake, not rounding.
SUM_TOLERANCE = 0.01
# A box that ends at the edge may overshoot it by the rounding of its maker.
EDGE_TOLERANCE = 1e-6


@dataclass(frozen=True, slots=True)
class Region:
    """A box in the upright picture. All lengths are shares of its width or height, from 0 to 1; (x, y) is the top left."""

    label: str
    x: float
    y: float
    width: float
    height: float
    score: float


@dataclass(frozen=True, slots=True)
class Heatmap:
    """The probability of any defect at each place: `rows` x `columns` bytes, row by row, 0 to 255 for 0 to 1."""

    rows: int
    columns: int
    values: bytes


@dataclass(frozen=True, slots=True)
class Scores:
    """Calibrated probability of each class (they sum to 1), where the defects are, and the map behind them."""

    probabilities: dict[str, float]
    regions: tuple[Region, ...] = ()
    heatmap: Heatmap | None = None


def top(scores: Scores) -> tuple[str, float]:
    """Return the likeliest class and its probability; of equals the one named first."""
    label = max(scores.probabilities, key=scores.probabilities.__getitem__)
    return label, scores.probabilities[label]


def parse_scores(data: object, classes: Sequence[str]) -> Scores:
    """Return the scores in `data`, with probabilities in the order of `classes` and scaled to sum to 1.

    `data` is `{"probabilities": {class: number}, "regions": [{"label", "x", "y", "width", "height", "score"?}]}`. A class
    that is not mentioned counts as 0; a region without a score gets the probability of its class.
    Raises `InputRefused` for everything else.
    """
    if not isinstance(data, Mapping):
        raise _refused("prediction-not-an-object", f"a prediction is an object with 'probabilities', not {_shown(data)}")
    probabilities = _probabilities(data.get("probabilities"), classes)
    return Scores(probabilities, _regions(data.get("regions"), probabilities))


def _refused(code: str, detail: str) -> InputRefused:
    return InputRefused(code, "The prediction can't be read", f"{detail}.")


def _shown(value: object) -> str:
    """Name a value in a message without repeating more of it than helps."""
    text = repr(value) if isinstance(value, bool | int | float | str | None) and not _endless(value) else type(value).__name__
    return text if len(text) <= 60 else f"{text[:57]}..."


def _endless(value: object) -> bool:
    """Python refuses to print whole numbers of more than some thousand digits."""
    return isinstance(value, int) and value.bit_length() > 256


def _probabilities(given: object, classes: Sequence[str]) -> dict[str, float]:
    if not isinstance(given, Mapping):
        raise _refused("probabilities-missing", f"'probabilities' is an object of class and number, not {_shown(given)}")
    for label in given:
        _known(label, classes)
    values = {label: _share(given.get(label, 0), f"the probability of '{label}'") for label in classes}
    total = math.fsum(values.values())
    if abs(total - 1) > SUM_TOLERANCE:
        raise _refused("probabilities-sum", f"the probabilities sum to {total:.4g}; they have to sum to 1")
    return {label: value / total for label, value in values.items()}


def _known(label: object, classes: Sequence[str]) -> str:
    if not isinstance(label, str) or label not in classes:
        raise _refused("class-unknown", f"there is no class {_shown(label)} here; the classes are {', '.join(classes)}")
    return label


def _share(value: object, what: str) -> float:
    """Return a number from 0 to 1. True and False are numbers to Python, but nobody means them as such."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _refused("not-a-number", f"{what} is a number from 0 to 1, not {_shown(value)}")
    # Written so that NaN, which compares false with everything, is refused too.
    if not 0 <= value <= 1:
        raise _refused("number-out-of-range", f"{what} is a number from 0 to 1, not {_shown(value)}")
    return float(value) + 0.0  # turns -0.0 into 0.0


def _regions(given: object, probabilities: dict[str, float]) -> tuple[Region, ...]:
    if given is None:
        return ()
    if not isinstance(given, list | tuple):
        raise _refused("regions-not-a-list", f"'regions' is a list, not {_shown(given)}")
    if len(given) > MAX_REGIONS:
        raise _refused("regions-too-many", f"there are {len(given)} regions; at most {MAX_REGIONS} are taken")
    return tuple(_region(entry, number, probabilities) for number, entry in enumerate(given, start=1))


def _region(entry: object, number: int, probabilities: dict[str, float]) -> Region:
    what = f"region {number}"
    if not isinstance(entry, Mapping):
        raise _refused("region-not-an-object", f"{what} is an object with label, x, y, width and height, not {_shown(entry)}")
    label = _known(entry.get("label"), list(probabilities))
    x, y, width, height = (_share(entry.get(side), f"'{side}' of {what}") for side in ("x", "y", "width", "height"))
    if x + width > 1 + EDGE_TOLERANCE or y + height > 1 + EDGE_TOLERANCE:
        raise _refused("region-outside", f"{what} ends at ({x + width:.4g}, {y + height:.4g}), outside of the picture")
    width, height = min(width, 1 - x), min(height, 1 - y)
    if width * height <= 0:
        raise _refused("region-empty", f"{what} has no area")
    given = entry.get("score")
    return Region(label, x, y, width, height, probabilities[label] if given is None else _share(given, f"'score' of {what}"))
