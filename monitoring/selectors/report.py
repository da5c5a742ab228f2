"""What happened on a line in one week: everything that its report shows, read with a constant number of queries."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from gateway.models import Deployment, Role
from monitoring.cells import Cell
from monitoring.differences import changes_in_words
from monitoring.flow import Flow, automated, flow
from monitoring.intervals import Share
from monitoring.known_audits import known_audits
from monitoring.models import Alarm, Recall
from monitoring.selectors import policies
from monitoring.selectors.arrived import book_of, cells, groups
from monitoring.selectors.audited_decisions import Anchor, Stream, anchor_of, audits_since, streams
from monitoring.selectors.leaning import Leanings, leanings
from monitoring.selectors.limit_history import limits_at
from monitoring.selectors.policies import Change
from monitoring.selectors.requests import Listed, requests_between
from monitoring.weeks import Week
from policies.changes import draft_of
from policies.models import Certification, LabelClass, Limit, Line, PolicyVersion


@dataclass(frozen=True, slots=True)
class WeeklyReport:
    """One week of a line. What is counted is the items that arrived in it, with what is known about them now."""

    line: Line
    week: Week
    classes: list[LabelClass]
    # The policy in force when the week began, None before the line was there; and what came into force in it, oldest first.
    opening: PolicyVersion | None
    changes: tuple[Change, ...]
    flow: Flow
    # Of the items that arrived, those that the model decided on arrival.
    automated: Share
    cells: list[Cell]
    limits: list[Limit]
    # The newest proof, at the end of the week, for the model that was champion then.
    certification: Certification | None
    # Audits of the week's own items, and all that the guardrail had counted when the week ended; in the limits' order.
    observed: list[Stream]
    watched: list[Stream]
    alarms: list[Alarm]
    recalls: list[Recall]
    leanings: Leanings
    requests: list[Listed]
    deployments: list[Deployment]

    @property
    def closing(self) -> PolicyVersion | None:
        """The policy in force when the week ended."""
        return self.changes[-1].policy if self.changes else self.opening

    @property
    def champion(self) -> Deployment | None:
        """What was champion when the week ended."""
        return champion_at(self.deployments, self.week.end)


def weekly_report(line: Line, week: Week) -> WeeklyReport:
    """Read the report of a week."""
    start, end = week.start, week.end
    classes = policies.classes_of(line)
    names = policies.names_of(classes)
    opening, changes = policies_in(line, week, names)
    deployments = served(line, start, end)
    limits, book = limits_at(line, end), book_of(line)
    arrived = groups(book, start, end)
    return WeeklyReport(
        line=line,
        week=week,
        classes=classes,
        opening=opening,
        changes=changes,
        flow=flow(arrived, policies.negative_of(classes)),
        automated=automated(arrived),
        cells=cells(book, start, end),
        limits=limits,
        certification=_certification(line, champion_at(deployments, end), end),
        observed=streams(limits, audits_since(line, Anchor(0, start), end)),
        watched=_watched(line, limits, end) if opening or changes else streams(limits, []),
        alarms=list(
            Alarm.objects.filter(_within("at", week), line=line)
            .select_related("policy", "demoted_to", "seen_by")
            .order_by("id")
        ),
        recalls=list(
            Recall.objects.filter(_within("created_at", week), line=line).select_related("item", "handled_by").order_by("id")
        ),
        leanings=leanings(line, start, end),
        requests=requests_between(line, names, start, end),
        deployments=deployments,
    )


def policies_in(line: Line, week: Week, names: dict[str, str]) -> tuple[PolicyVersion | None, tuple[Change, ...]]:
    """Return the policy in force when the week began and those that came into force in it, oldest first, with one query."""
    lasted = Q(superseded_at=None) | Q(superseded_at__gte=week.start)
    found = PolicyVersion.objects.filter(lasted, line=line, created_at__lt=week.end).select_related("created_by", "restores")
    versions = list(found.order_by("number"))
    before = [version for version in versions if version.created_at < week.start]
    opening, changes = (before[-1] if before else None), []
    last = opening
    for version in versions[len(before) :]:
        words = changes_in_words(draft_of(last), draft_of(version), names) if last else ["First policy of the line"]
        changes.append(Change(version, tuple(words)))
        last = version
    return opening, tuple(changes)


def served(line: Line, start: datetime, end: datetime) -> list[Deployment]:
    """Return what served the line from `start` on and before `end`, oldest first, with one query."""
    lasted = Q(ended_at=None) | Q(ended_at__gt=start)
    found = Deployment.objects.filter(lasted, line=line, started_at__lt=end)
    return list(found.select_related("model_version", "started_by").order_by("started_at", "id"))


def champion_at(deployments: Iterable[Deployment], end: datetime) -> Deployment | None:
    """Return what was champion just before `end`."""
    return next(
        (row for row in deployments if row.role == Role.CHAMPION and (row.ended_at is None or row.ended_at >= end)), None
    )


def _certification(line: Line, champion: Deployment | None, end: datetime) -> Certification | None:
    if champion is None:
        return None
    version = champion.model_version
    found = Certification.objects.filter(
        line=line, model_name=version.name, weights_digest=version.weights_digest, created_at__lt=end
    )
    return found.prefetch_related("certificates").order_by("-id").first()


def _watched(line: Line, limits: list[Limit], end: datetime) -> list[Stream]:
    """Return what the guardrail had seen when the week ended: truths that became known later are not in it."""
    return streams(limits, [audit for audit in known_audits(line, anchor_of(line, end)) if audit.at < end])


def _within(column: str, week: Week) -> Q:
    return Q(**{f"{column}__gte": week.start, f"{column}__lt": week.end})
