"""The page of a line's promises as its template takes it: limits with proof or shortage, thresholds and their errors. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from monitoring.intervals import Share
from monitoring.promise_words import holds, missing_in_words, name_of, sentence_of
from monitoring.selectors.audits import Audited
from monitoring.selectors.promises import Pace
from policies.certify.observed import observed
from policies.certify.words import Form
from policies.models import Certificate, Certification, LabelClass, Limit, PolicyVersion
from policies.modes import Mode


@dataclass(frozen=True, slots=True)
class LimitRow:
    """One limit with its proof, or with what is missing for it."""

    name: str
    sentence: str
    limit: Limit
    # None where nobody has worked it out under these limits.
    found: Certificate | None
    missing: str
    # Whether the proof covers what is in force.
    in_force: bool


@dataclass(frozen=True, slots=True)
class ThresholdRow:
    """One class: the threshold in force beside the certified one, and what the one in force did on the audited items."""

    label: LabelClass
    # None where a person decides.
    in_force: float | None
    certified: float | None
    escapes: Share
    overkill: Share
    covered: bool


def limit_rows(
    classes: Sequence[LabelClass],
    limits: Sequence[Limit],
    certification: Certification | None,
    policy: PolicyVersion,
    pace: Pace,
    delta: float,
) -> list[LimitRow]:
    """Return a row for each limit, in their order."""
    by_id = {entry.pk: entry for entry in classes}
    found = {(row.label, row.form): row for row in certification.certificates.all()} if certification else {}
    return [
        _limit_row(by_id[limit.label_class_id], limit, found, certification, policy, pace, delta / len(limits))
        for limit in limits
    ]


def _limit_row(
    label: LabelClass,
    limit: Limit,
    found: Mapping[tuple[str, str], Certificate],
    certification: Certification | None,
    policy: PolicyVersion,
    pace: Pace,
    level: float,
) -> LimitRow:
    row = found.get((label.key, limit.form))
    proven = row is not None and row.certified
    certified = certification.thresholds if certification else {}
    return LimitRow(
        name_of(label, limit.form),
        sentence_of(label, limit.form, limit.epsilon),
        limit,
        row,
        "" if row is None or proven else missing_in_words(row, pace, level),
        proven and holds(label.key, limit.form, mode=Mode(policy.mode), in_force=policy.thresholds, certified=certified),
    )


def threshold_rows(
    classes: Sequence[LabelClass], sample: Audited, certification: Certification | None, policy: PolicyVersion
) -> list[ThresholdRow]:
    """Return a row for each class, with the rates at the thresholds in force over the audited items."""
    in_force = thresholds_in_force(classes, policy)
    certified = certification.thresholds if certification else {}
    found = {
        (one.label, one.form): Share(one.k, one.n, one.low, one.high)
        for one in observed(sample.truths, sample.probabilities, in_force)
    }
    return [
        ThresholdRow(
            label,
            at,
            certified.get(label.key),
            found[place, Form.ESCAPE],
            found[place, Form.OVERKILL],
            policy.mode != Mode.FULL and at is not None and certified.get(label.key) == at,
        )
        for place, (label, at) in enumerate(zip(classes, in_force, strict=True))
    ]


def thresholds_in_force(classes: Sequence[LabelClass], policy: PolicyVersion) -> list[float | None]:
    """Return what the policy asks of each class: in full nothing; below partial what would rule at partial."""
    if policy.mode == Mode.FULL:
        return [0.0] * len(classes)
    return [policy.thresholds.get(entry.key) for entry in classes]
