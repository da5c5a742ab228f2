"""All lines at once, for the first page: five queries however many lines there are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Min, Q

from gateway.models import DecidedBy, Deployment, Item, Referral, ReferralState, Role
from monitoring.intervals import Share, share
from policies.decide import Route
from policies.models import Line, PolicyVersion
from policies.modes import NOTCHES, Mode, Notch

DAY = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class LineOverview:
    """What the first page shows of one line."""

    line: Line
    mode: Mode
    open: int
    overdue: int
    # When the oldest open referral was made.
    oldest_at: datetime | None
    arrived: int
    # Of the items that arrived in the last 24 hours, those that the model decided on arrival.
    automated: Share
    champion: str

    @property
    def notch(self) -> Notch:
        """The dial's position in words."""
        return NOTCHES[self.mode.level]


def overviews(now: datetime) -> list[LineOverview]:
    """Return every line that is not retired, by name."""
    modes = dict(PolicyVersion.objects.filter(superseded_at=None).values_list("line_id", "mode"))
    queues = _queues(now)
    arrivals = _arrivals(now - DAY)
    champions = dict(Deployment.objects.filter(role=Role.CHAMPION, ended_at=None).values_list("line_id", "model_version__name"))
    return [
        _overview(line, modes, queues.get(line.pk, {}), arrivals.get(line.pk, {}), champions.get(line.pk, ""))
        for line in Line.objects.filter(retired_at=None).order_by("name")
    ]


def _queues(now: datetime) -> dict[int, dict[str, Any]]:
    rows = (
        Referral.objects.filter(state=ReferralState.OPEN)
        .order_by()
        .values("line_id")
        .annotate(open=Count("pk"), overdue=Count("pk", filter=Q(due_at__lte=now)), oldest_at=Min("created_at"))
    )
    return {row["line_id"]: dict(row) for row in rows}


def _arrivals(since: datetime) -> dict[int, dict[str, Any]]:
    rows = (
        Item.objects.filter(received_at__gte=since)
        .exclude(decided_by=DecidedBy.IMPORT)
        .order_by()
        .values("line_id")
        .annotate(arrived=Count("pk"), automated=Count("pk", filter=Q(route=Route.AUTOMATE)))
    )
    return {row["line_id"]: dict(row) for row in rows}


def _overview(
    line: Line, modes: dict[int, str], queue: dict[str, Any], arrivals: dict[str, Any], champion: str
) -> LineOverview:
    arrived = arrivals.get("arrived", 0)
    return LineOverview(
        line=line,
        mode=Mode(modes.get(line.pk, Mode.HUMAN_ONLY)),
        open=queue.get("open", 0),
        overdue=queue.get("overdue", 0),
        oldest_at=queue.get("oldest_at"),
        arrived=arrived,
        automated=share(arrivals.get("automated", 0), arrived),
        champion=champion,
    )
