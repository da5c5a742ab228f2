"""What a line promises, and the newest proof of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import prefetch_related_objects

from gateway.compiled import Select, number, real, text
from inference.models import ModelVersion
from monitoring.certifying import same_promise
from monitoring.intervals import Share, share
from monitoring.selectors.arrived import END, Book, how_many
from monitoring.selectors.counted import first_in
from monitoring.selectors.labelled import EVERYTHING_BLIND
from policies.models import Certification, Limit, Line, PolicyVersion

# Certifications of one model that are looked through for one under today's limits: limits change seldom.
LOOKED_THROUGH = 20
WEEK, DAY = timedelta(days=7), timedelta(days=1)

_limits = Select(lambda: Limit.objects.filter(line=number("line")).select_related("label_class"))
_certified = Select(
    lambda: (
        Certification.objects.filter(
            line=number("line"), model_name=text("name"), weights_digest=text("digest"), delta=real("delta")
        )
        .select_related("created_by")
        .order_by("-id")[:LOOKED_THROUGH]
    )
)


@dataclass(frozen=True, slots=True)
class Pace:
    """Items a day, as they came of late, and the share of them that gets a blind judgement."""

    volume_per_day: float
    audit_rate: float

    @property
    def audits_per_day(self) -> float:
        """Blind judgements a day that may judge a model."""
        return self.volume_per_day * self.audit_rate


@dataclass(frozen=True, slots=True)
class Standing:
    """What a line promises, a model's proof of it, and how fast further audits come."""

    limits: list[Limit]
    certification: Certification | None
    pace: Pace

    @property
    def thresholds(self) -> dict[str, float]:
        """The certified thresholds, by class."""
        return dict(self.certification.thresholds) if self.certification else {}


@dataclass(frozen=True, slots=True)
class Proof:
    """What is certified for one model."""

    version: ModelVersion
    is_champion: bool
    certification: Certification | None
    # Of the audited items, those that it decides alone at its certified thresholds.
    automates: Share | None
    # Limits that are certified.
    certified: int


def limits_of(line: Line) -> list[Limit]:
    """Return the line's limits in the order of its classes, with one query."""
    return _limits.all(line=line.pk)


def standing(line: Line, version: ModelVersion, limits: Iterable[Limit]) -> Certification | None:
    """Return the newest certification of a model that is about what the line promises now, with two queries."""
    rows = _certified.all(line=line.pk, name=version.name, digest=version.weights_digest, delta=line.delta)
    prefetch_related_objects(rows, "certificates")
    return next((row for row in rows if same_promise(row, limits, line.delta)), None)


def standing_of(book: Book, version: ModelVersion | None, policy: PolicyVersion, now: datetime) -> Standing:
    """Return the standing of a line's promises with a model."""
    limits = limits_of(book.line)
    found = standing(book.line, version, limits) if version is not None and limits else None
    return Standing(limits, found, pace(book, policy, now))


def proofs(line: Line, version: ModelVersion, champion: ModelVersion | None) -> list[Proof]:
    """Return what is certified for a model and for the champion beside it; nothing where the line has no limits."""
    limits = limits_of(line)
    if not limits:
        return []
    both = {one.pk: one for one in (version, champion) if one is not None}
    return [_proof(one, standing(line, one, limits), champion) for one in both.values()]


def _proof(version: ModelVersion, found: Certification | None, champion: ModelVersion | None) -> Proof:
    automates = share(found.automated, found.audits) if found is not None else None
    certified = sum(row.certified for row in found.certificates.all()) if found is not None else 0
    return Proof(version, version == champion, found, automates, certified)


def pace(book: Book, policy: PolicyVersion, now: datetime) -> Pace:
    """Return the line's pace over the last seven days, or since its first item where that is later."""
    since = now - WEEK
    # The first one is asked for by itself: beside a count it would be looked for in all of them.
    first = first_in(book.line, (since, END))
    rate = 1.0 if policy.mode in EVERYTHING_BLIND else policy.audit_rate
    if first is None:
        return Pace(0.0, rate)
    # A line that is minutes old is not taken to go on like that all day.
    return Pace(how_many(book, since) / (max(DAY, now - first) / DAY), rate)
