"""The demo's scoreboard: what line and inspectors said against what the conveyor knows. Real lines have no such table."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count

from gateway.models import Role
from monitoring.intervals import Share, share
from monitoring.models import KnownTruth
from policies.decide import Route
from policies.models import Line
from review.models import Judgement

# (who, what was said, the truth, how many)
Row = tuple[str, str, str, int]


@dataclass(frozen=True, slots=True)
class Score:
    """How one of them did against the truth."""

    who: str
    right: Share
    # Of what they passed, the share that is defective; of the good ones, the share that they rejected.
    escapes: Share
    overkill: Share


@dataclass(frozen=True, slots=True)
class Scoreboard:
    """The model alone, the inspectors together, and each of them."""

    model: Score
    people: Score
    reviewers: tuple[Score, ...]

    @property
    def empty(self) -> bool:
        """Whether there is nothing to compare."""
        return not self.model.right.n and not self.people.right.n


def scoreboard(line: Line, negative: str, since: datetime) -> Scoreboard:
    """Return the scoreboard of the items that arrived since then, with two queries."""
    known = KnownTruth.objects.filter(item__line=line, item__received_at__gte=since)
    automated = (
        known.filter(item__route=Route.AUTOMATE, item__predictions__role=Role.CHAMPION)
        .values_list("item__predictions__answer", "truth")
        .annotate(count=Count("pk"))
    )
    model: list[Row] = [("Model, deciding alone", said, truth, count) for said, truth, count in automated]
    people = _judged(line, since)
    by_name: defaultdict[str, list[Row]] = defaultdict(list)
    for row in people:
        by_name[row[0]].append(row)
    return Scoreboard(
        score("Model, deciding alone", model, negative),
        score("Inspectors together", people, negative),
        tuple(score(name, rows, negative) for name, rows in sorted(by_name.items())),
    )


def score(who: str, rows: Iterable[Row], negative: str) -> Score:
    """Count right answers, escapes and overkill in the rows. Pure."""
    kept = list(rows)
    passed = [row for row in kept if row[1] == negative]
    good = [row for row in kept if row[2] == negative]
    return Score(
        who,
        right=_share([row for row in kept if row[1] == row[2]], kept),
        escapes=_share([row for row in passed if row[2] != negative], passed),
        overkill=_share([row for row in good if row[1] != negative], good),
    )


def _judged(line: Line, since: datetime) -> list[Row]:
    """Count the standing answers of inspectors by what they said and what is true; unsure is no answer."""
    rows = (
        Judgement.standing.filter(
            line=line,
            created_at__gte=since,
            item__received_at__gte=since,
            item__known_truth__isnull=False,
        )
        .exclude(answer=Judgement.UNSURE)
        .order_by()
        .values_list("reviewer__username", "answer", "item__known_truth__truth")
        .annotate(count=Count("pk"))
    )
    return list(rows)


def _share(part: list[Row], whole: list[Row]) -> Share:
    return share(sum(row[3] for row in part), sum(row[3] for row in whole))
