"""The siblings of a wrong decision: what the same model decided the same way since the last clean audit, nearest first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import numpy as np
from django.db.models import FilteredRelation, Q, QuerySet
from numpy.typing import NDArray

from gateway.models import DecidedBy, Decision, Item, Referral, Role
from monitoring.models import Recall
from policies.certify.binomial import lower_bound, upper_bound
from policies.decide import Reason
from review.models import Label

Floats = NDArray[np.float64]
# (item, score, source, brightness, contrast, sharpness)
Row = tuple[UUID, float | None, str, float | None, float | None, float | None]
COLUMNS = ("item_id", "said__score", "item__source", "item__brightness", "item__contrast", "item__sharpness")
# Newest first; an older sibling beyond these is counted and not ranked.
RANKED = 20_000
TAIL = 0.025


@dataclass(frozen=True, slots=True)
class Sibling:
    """A candidate for a recall; the smaller the distance the more it is like the item that was decided wrongly."""

    item: UUID
    distance: float


@dataclass(frozen=True, slots=True)
class Expected:
    """Errors to be expected among `candidates`, from `k` wrong of `n` audited siblings, with the exact 95 % interval."""

    candidates: int
    k: int
    n: int
    low: float
    high: float

    @property
    def errors(self) -> float | None:
        """The expected number; None where no sibling was audited."""
        return self.candidates * self.k / self.n if self.n else None


def candidates(recall: Recall) -> QuerySet[Decision]:
    """Return the first decisions of the siblings that a recall can send to people.

    Decided by the same model version as the same class, arrived in the recall's span, not audited, still standing as the
    model decided, and not sent by a recall before.
    """
    sent = Referral.objects.filter(line=recall.line_id, reason=Reason.RECALL.value).values("item_id")
    found = first_decisions(recall).filter(
        item__in_audit=False,
        item__decided_by=DecidedBy.MODEL,
        item__revision=1,
        # The model decides in the moment in which an item arrives: the index by that time reads the recall's span alone.
        created_at__lte=recall.until,
        item__received_at__lte=recall.until,
    )
    if recall.since is not None:
        found = found.filter(created_at__gte=recall.since, item__received_at__gte=recall.since)
    return found.exclude(item__in=sent).exclude(item=recall.item_id)


def first_decisions(recall: Recall) -> QuerySet[Decision]:
    """Return what the recall's model version decided as the recall's class on its line."""
    return Decision.objects.filter(
        number=1,
        decided_by=DecidedBy.MODEL,
        answer=recall.label,
        model_version=recall.model_version_id,
        item__line=recall.line_id,
    )


def nearest(recall: Recall) -> list[Sibling]:
    """Return the candidates, nearest first, with two queries."""
    itself = _features(Decision.objects.filter(item=recall.item_id, number=1)).first()
    rows = _features(candidates(recall).order_by("-item_id"))[:RANKED]
    return ranked(itself, list(rows)) if itself is not None else []


def ranked(itself: Row, rows: Sequence[Row]) -> list[Sibling]:
    """Return the rows as siblings, nearest to `itself` first. Pure.

    The distance is the sum of three parts, each about 1 for a sibling taken at random: the difference in score; 0 or 1 for the
    same or another source; and the mean of the differences in brightness, contrast and sharpness. Differences are in standard
    deviations over the siblings; what either side lacks counts as 1, and what all siblings share counts as nothing.
    """
    if not rows:
        return []
    score = _differences([itself[1]], [row[1:2] for row in rows])[:, 0]
    source = np.array([row[2] != itself[2] for row in rows], dtype=np.float64)
    image = _differences(itself[3:], [row[3:] for row in rows]).mean(axis=1)
    distances = score + source + image
    # Stable: among equals the newest, which come first, stay first.
    order = np.argsort(distances, kind="stable")
    return [Sibling(rows[place][0], round(float(distances[place]), 4)) for place in order]


def expected(recall: Recall, count: int) -> Expected:
    """Return how many errors to expect among `count` candidates, with one query.

    From the audited decisions of this model for this class on the line: the share of them that blind labels call something
    else, with Clopper and Pearson's interval (1934).
    """
    truths = list(audited(recall.line_id, recall.label, recall.model_version_id).order_by().values_list("answer", flat=True))
    n = len(truths)
    k = sum(truth != recall.label for truth in truths)
    low, high = float(lower_bound(k, n, TAIL)), float(upper_bound(k, n, TAIL))
    return Expected(count, k, n, count * low, count * high)


def audited(line_id: int, label: str, model_version_id: int | None) -> QuerySet[Label]:
    """Return the blind labels that stand for audited decisions of this class by this model version."""
    decided = Decision.objects.filter(
        number=1, decided_by=DecidedBy.MODEL, answer=label, model_version=model_version_id, item__line=line_id
    )
    standing = Label.standing.filter(line=line_id, blind=True, item__in_audit=True).exclude(answer="")
    return standing.filter(item__in=decided.values("item_id"))


def last_clean(item: Item, label: str, model_version_id: int | None) -> datetime | None:
    """Return when the newest item before this one arrived whose decision of this class by this model an audit found right."""
    clean = audited(item.line_id, label, model_version_id).filter(answer=label, item__received_at__lt=item.received_at)
    return clean.order_by("-item__received_at").values_list("item__received_at", flat=True).first()


def _features(decisions: QuerySet[Decision]) -> Any:
    """Return rows of COLUMNS, with the score of the prediction that routed each item."""
    said = FilteredRelation("item__predictions", condition=Q(item__predictions__role=Role.CHAMPION))
    return decisions.annotate(said=said).values_list(*COLUMNS)


def _differences(itself: Sequence[float | None], rows: Sequence[Sequence[float | None]]) -> Floats:
    """Return how far each row is from `itself` in standard deviations, [rows, columns]."""
    table, one = np.array(rows, dtype=np.float64), np.array(itself, dtype=np.float64)
    known = np.isfinite(table)
    count = np.maximum(known.sum(axis=0), 1)
    mean = np.where(known, table, 0.0).sum(axis=0) / count
    spread = np.sqrt((np.where(known, table - mean, 0.0) ** 2).sum(axis=0) / count)
    apart = np.where(spread > 0, np.abs(table - one) / np.where(spread > 0, spread, 1.0), 0.0)
    found: Floats = np.where(np.isfinite(table) & np.isfinite(one), apart, 1.0)
    return found
