"""Find the thresholds that automate most under limits on wrong decisions, with proof. Pure.

**Rule.** An item leans to its most probable class c, and is decided as c where that probability reaches the threshold of c.
So the items decided as c depend on the threshold of c alone.

**Data.** Audited items: drawn independently of everything about them, judged blind, in neither the training nor the validation
of the model. They are taken as independent and alike (drift is the guardrail's matter). The probabilities need not be
calibrated for the proof; calibration only makes what is automated more. Delta is that of one look; `looks.py` says what
further ones may use.

**Tests.** One fixed sequence a limit (`sequences.py` says why that is valid and how delta is shared); only limits that could
pass with no error at all, judged without labels, are tested and share delta. Each test is an exact binomial one:

- escape of c, "of what is decided as c": steps are thresholds of c. Given that n items pass, errors are Binomial(n, true rate).
- overkill of c, "of what truly is c": the items of truth c that are decided as something else depend on all *other*
  thresholds. They are loosened together, along one path of common probability levels, each class at its own nearest step at
  or above the level. Given the n items of truth c, errors are Binomial(n, true rate). The path starts where nothing is
  automated.

**Putting together.** A class gets the strictest of what its own sequence and the paths that it is on allow. That keeps each
claim: overkill can only fall when others become stricter, as fewer items are decided at all (no assumption, one set contains
the other); and a stricter step of an escape sequence was itself rejected before the looser one. A class about which no
certified limit speaks, or one of whose limits fails, is never decided alone.

**Grid.** Thresholds come from the scores of `reference`: other items of the stream, which are independent of the audited
ones, and then the proof is exact. Without it they come from the audited items' own scores (never from labels), at fixed ranks.
That is exact where the true rate crosses the limit only once as thresholds are loosened, as overkill of two classes always
does; where it crosses several times, a bad stretch narrower than a step (1/200 of the class's items) could be stepped over.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from policies.certify import shortages
from policies.certify.binomial import Floats, p_value, passes_needed, upper_bound
from policies.certify.scored import Ints, Scored, lean, passing, start_counts, steps_of
from policies.certify.sequences import Passed, run
from policies.certify.words import Certificate, Certification, Form, Limit, Shortage, Thresholds

NEVER = np.inf


@dataclass(frozen=True, slots=True)
class Case:
    """One limit's fixed sequence: the thresholds [steps, classes] it walks through, and the counts seen at each step."""

    limit: Limit
    # NEVER in the columns of classes that it does not speak about.
    path: Floats
    n: Ints
    k: Ints

    @property
    def speaks_of(self) -> list[int]:
        """The classes whose thresholds it holds back."""
        label, classes = self.limit.label, range(self.path.shape[1])
        return [label] if self.limit.form is Form.ESCAPE else [other for other in classes if other != label]


def certify(
    truth: ArrayLike, probabilities: ArrayLike, limits: Sequence[Limit], delta: float, reference: ArrayLike | None = None
) -> Certification:
    """Return the thresholds that automate most under all `limits`, which hold together with confidence 1 - delta.

    `truth` [n] is the class index by blind judgements, `probabilities` [n, classes] what the model said about the same items,
    `reference` [m, classes] what it said about other items of the stream, unlabelled. Raises ValueError on shapes or values
    that do not fit.
    """
    items, truths = lean(probabilities), np.asarray(truth, dtype=np.int64)
    _check(items, truths, limits, delta)
    level = delta / max(1, len(limits))
    places = items if reference is None else lean(reference)
    steps = [_steps(label, items, places, limits, level) for label in range(items.classes)]
    cases = [_case(limit, items, truths, steps) for limit in limits]
    tested = [index for index, case in enumerate(cases) if len(case.path) and len(items) >= _least(case, level)]
    passed = dict(
        zip(tested, run([p_value(cases[i].k, cases[i].n, cases[i].limit.epsilon) for i in tested], delta), strict=True)
    )
    ends = [passed.get(index, Passed(0, level)) for index in range(len(cases))]
    final = _final(cases, ends, items.classes)
    outcomes = tuple(_outcome(case, end, final, items, truths, delta, level) for case, end in zip(cases, ends, strict=True))
    return Certification(_thresholds(final), outcomes, delta)


def _check(items: Scored, truths: Ints, limits: Sequence[Limit], delta: float) -> None:
    if truths.shape != (len(items),):
        raise ValueError(f"{len(items)} predictions and truth of shape {truths.shape} do not fit.")
    if len(truths) and (truths.min() < 0 or truths.max() >= items.classes):
        raise ValueError("A truth is no class.")
    if not all(0 <= limit.label < items.classes for limit in limits):
        raise ValueError("A limit is on no class.")
    if len({(limit.label, limit.form) for limit in limits}) < len(limits):
        raise ValueError("Two limits of one form are on one class.")
    if not 0 < delta < 1:
        raise ValueError(f"Delta is between 0 and 1, not {delta}.")


def _least(case: Case, level: float) -> int:
    return passes_needed(case.limit.epsilon, level)


def _steps(label: int, items: Scored, places: Scored, limits: Sequence[Limit], level: float) -> Floats:
    """Return a class's thresholds to try, strict to loose; none where its escape limit could not pass even without errors."""
    scores = places.scores_of(label)
    if not len(scores):
        return np.empty(0)
    scale = len(items) / len(places)
    epsilon = next((limit.epsilon for limit in limits if (limit.label, limit.form) == (label, Form.ESCAPE)), None)
    start = 1.0
    if epsilon is not None:
        start = float(start_counts(np.array([len(scores) * scale]), epsilon, level)[0])
        if not start:
            return np.empty(0)
        if places is not items:
            # Only the expected count is known: two deviations more make sure that enough will pass.
            start = min(start + 2 * start**0.5, len(scores) * scale)
    return steps_of(scores, start / scale, loosest=1 / items.classes)


def _case(limit: Limit, items: Scored, truths: Ints, steps: Sequence[Floats]) -> Case:
    if limit.form is Form.ESCAPE:
        return _escape(limit, items, truths, steps[limit.label])
    return _overkill(limit, items, truths, steps)


def _escape(limit: Limit, items: Scored, truths: Ints, steps: Floats) -> Case:
    path = np.full((len(steps), items.classes), NEVER)
    path[:, limit.label] = steps
    mine = items.said == limit.label
    wrong = items.score[mine & (truths != limit.label)]
    return Case(limit, path, passing(items.score[mine], steps), passing(wrong, steps))


def _overkill(limit: Limit, items: Scored, truths: Ints, steps: Sequence[Floats]) -> Case:
    others = [label for label in range(items.classes) if label != limit.label]
    levels = np.unique(np.concatenate([steps[label] for label in others]))[::-1]
    path = np.full((len(levels) + 1, items.classes), NEVER)
    mine = truths == limit.label
    wrong = np.zeros(len(path), dtype=np.int64)
    for label in others:
        path[1:, label] = _at_or_above(steps[label], levels)
        wrong += passing(items.score[mine & (items.said == label)], path[:, label])
    return Case(limit, path, np.full(len(path), int(mine.sum())), wrong)


def _at_or_above(steps: Floats, levels: Floats) -> Floats:
    """Return, for each level, the loosest of the steps (falling) that is not below it; NEVER where all are."""
    reached = np.searchsorted(-steps, -levels, side="right")
    found: Floats = np.append(NEVER, steps)[reached]
    return found


def _final(cases: Sequence[Case], ends: Sequence[Passed], classes: int) -> Floats:
    """Return the strictest threshold that the limits leave to each class."""
    final = np.full(classes, -np.inf)
    for case, end in zip(cases, ends, strict=True):
        speaks_of = case.speaks_of
        allowed = case.path[end.steps - 1, speaks_of] if end.steps else NEVER
        final[speaks_of] = np.maximum(final[speaks_of], allowed)
    return np.where(np.isfinite(final), final, NEVER)


def _outcome(
    case: Case, end: Passed, final: Floats, items: Scored, truths: Ints, delta: float, start_level: float
) -> Certificate | Shortage:
    """Return the certificate at the thresholds in force, or how many audits are missing."""
    limit = case.limit
    if not end.steps:
        first = (int(case.n[0]), int(case.k[0])) if len(case.path) else (0, 0)
        return shortages.of(limit, items, truths, first, (start_level, end.level))
    held = np.full(items.classes, NEVER)
    held[case.speaks_of] = final[case.speaks_of]
    if limit.form is Form.ESCAPE and not np.isfinite(held[limit.label]):
        # Another limit keeps this class back: the certificate tells what its own limit alone would allow.
        held = case.path[end.steps - 1]
    n, k = count(limit, items, truths, held)
    bound = float(upper_bound(k, n, end.level))
    return Certificate(limit.label, limit.form, _thresholds(held), limit.epsilon, delta, end.level, n, k, bound)


def count(limit: Limit, items: Scored, truths: Ints, thresholds: Floats) -> tuple[int, int]:
    """Return (n, k) of a limit's form at thresholds [classes]: those it speaks about, and those decided wrongly."""
    decided: NDArray[np.bool_] = items.score >= thresholds[items.said]
    if limit.form is Form.ESCAPE:
        decided = decided & (items.said == limit.label)
        return int(decided.sum()), int((decided & (truths != limit.label)).sum())
    mine = truths == limit.label
    return int(mine.sum()), int((mine & decided & (items.said != limit.label)).sum())


def _thresholds(values: Floats) -> Thresholds:
    return tuple(float(value) if np.isfinite(value) else None for value in values)
