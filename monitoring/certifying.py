"""What a line promises against what its audit sample proves: working out the certificates and keeping them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import numpy as np
from django.contrib.auth.models import User
from django.db import transaction

from inference.models import ModelVersion
from monitoring.selectors.audits import Audited, Floats, audited, reference
from policies.certify import words
from policies.certify.binomial import passes_needed
from policies.certify.certify import certify
from policies.certify.looks import part_of_delta
from policies.errors import InvalidPolicy
from policies.locks import hold_line
from policies.models import Certificate, Certification, Limit, Line

__all__ = ["Audited", "audited", "automated", "certify_line", "same_promise", "whole"]

# Thresholds have as many digits as a policy keeps, so that what is put into force is exactly what was certified.
DIGITS = 8


def certify_line(line: Line, version: ModelVersion, *, by: User | None, now: datetime) -> Certification:
    """Work out the line's limits over what may judge `version` and keep the outcome, in one transaction.

    The same audits under the same limits give the row that is there already: asking again proves nothing more. Raises
    InvalidPolicy where the line has no limits.
    """
    limits = list(Limit.objects.filter(line=line).select_related("label_class"))
    if not limits:
        raise InvalidPolicy("This line states no limits yet: say first how many wrong decisions are allowed.")
    sample = audited(line, version)
    known = _known(line, sample, limits)
    if known is not None:
        return known
    places = {key: place for place, key in enumerate(sample.classes)}
    asked = [words.Limit(places[limit.label_class.key], words.Form(limit.form), limit.epsilon) for limit in limits]
    others = reference(line, sample)
    with transaction.atomic():
        # The line's row is the lock: two who ask at once get one row, and every look its own number.
        hold_line(line)
        known = _known(line, sample, limits)
        if known is not None:
            return known
        look = _look(line, version)
        delta = part_of_delta(line.delta, look)
        found = certify(sample.truths, whole(sample.probabilities), asked, delta, None if others is None else whole(others))
        return _keep(line, sample, found, look=look, by=by, now=now, others=0 if others is None else len(others))


def same_promise(certification: Certification, limits: Iterable[Limit], delta: float) -> bool:
    """Whether a certification is about these limits at this confidence. Its certificates should be prefetched."""
    stated = {(limit.label_class.key, limit.form, limit.epsilon) for limit in limits}
    found = {(row.label, row.form, row.epsilon) for row in certification.certificates.all()}
    return stated == found and certification.delta == delta


def whole(probabilities: Floats) -> Floats:
    """Return probabilities cut to a threshold's digits: a cut one reaches such a threshold where the whole one does."""
    # The inner rounding takes away the dust of binary fractions: 0.29 times 10^8 is a little less than 29 million.
    scaled: Floats = np.floor(np.round(probabilities * 10**DIGITS, 3)) / 10**DIGITS
    return scaled


def automated(probabilities: Floats, thresholds: words.Thresholds) -> int:
    """Return how many of the items [n, classes] are decided alone at the thresholds."""
    needed = np.array([np.inf if threshold is None else threshold for threshold in thresholds])
    said = probabilities.argmax(axis=1)
    return int((probabilities.max(axis=1) >= needed[said]).sum())


def _known(line: Line, sample: Audited, limits: Sequence[Limit]) -> Certification | None:
    rows = Certification.objects.filter(
        line=line,
        model_name=sample.version.name,
        weights_digest=sample.version.weights_digest,
        data_digest=sample.digest,
        delta=line.delta,
    ).prefetch_related("certificates")
    return next((row for row in rows if same_promise(row, limits, line.delta)), None)


def _look(line: Line, version: ModelVersion) -> int:
    """Return the number of this look at the model. Each gets its part of delta, or whoever asks often enough is told yes.

    Looks at so few audits that no limit could have passed have spent nothing.
    """
    earlier = Certification.objects.filter(line=line, weights_digest=version.weights_digest).prefetch_related("certificates")
    return 1 + sum(1 for row in earlier if _could_pass(row))


def _could_pass(row: Certification) -> bool:
    limits = row.certificates.all()
    level = part_of_delta(row.delta, row.look) / max(1, len(limits))
    return any(row.audits >= passes_needed(limit.epsilon, level) for limit in limits)


def _keep(
    line: Line, sample: Audited, found: words.Certification, *, look: int, by: User | None, now: datetime, others: int
) -> Certification:
    row = Certification.objects.create(
        line=line,
        model_name=sample.version.name,
        weights_digest=sample.version.weights_digest,
        delta=line.delta,
        look=look,
        thresholds=_named(found.thresholds, sample.classes),
        audits=len(sample),
        automated=automated(whole(sample.probabilities), found.thresholds),
        sample_from=min(sample.times, default=None),
        sample_to=max(sample.times, default=None),
        data_digest=sample.digest,
        reference=others,
        created_at=now,
        created_by=by,
    )
    Certificate.objects.bulk_create(_row(row, outcome, sample.classes) for outcome in found.outcomes)
    return row


def _row(certification: Certification, outcome: words.Certificate | words.Shortage, classes: Sequence[str]) -> Certificate:
    columns: dict[str, Any] = {"label": classes[outcome.label], "form": outcome.form.value, "epsilon": outcome.epsilon}
    if isinstance(outcome, words.Shortage):
        return Certificate(certification=certification, n=outcome.have, need=outcome.need, **columns)
    return Certificate(
        certification=certification,
        thresholds=_named(outcome.thresholds, classes),
        level=outcome.level,
        n=outcome.n,
        k=outcome.k,
        bound=outcome.bound,
        **columns,
    )


def _named(thresholds: words.Thresholds, classes: Sequence[str]) -> dict[str, float]:
    return {key: _up(threshold) for key, threshold in zip(classes, thresholds, strict=True) if threshold is not None}


def _up(threshold: float) -> float:
    """Return the least number of a threshold's digits that is not below it; no score that was cut lies between."""
    scale = 10.0**DIGITS
    units = round(threshold * scale)
    return units / scale if units / scale >= threshold else (units + 1) / scale
