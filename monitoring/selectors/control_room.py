"""Everything that the control room of one line shows, read with a constant number of queries."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from gateway.models import Deployment, Role
from monitoring.agreement import Agreement, agreement, blind_cells, seen_cells
from monitoring.errors_found import AuditedErrors, audited_errors
from monitoring.flow import Flow, TrendPoint, flow, trend
from monitoring.models import Conveyor
from monitoring.selectors import models, people, policies, truth
from monitoring.selectors import queue as queues
from monitoring.selectors.arrived import book_of, cells, groups, scored
from monitoring.selectors.promises import Standing, standing_of
from monitoring.what_if import ClassScores, Outcome, class_scores, outcome
from monitoring.windows import Window
from policies.models import LabelClass, Line, PolicyVersion
from policies.modes import NOTCHES, Mode, Notch
from review.models import TrainingRun

# A conveyor process says every few seconds that it is there.
ALIVE = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class Position:
    """A notch of the dial, with the share of the window's scored items that the model would decide there."""

    notch: Notch
    share: float | None

    @property
    def per_cent(self) -> int:
        """The share as a whole number, for drawing."""
        return round((self.share or 0) * 100)


@dataclass(frozen=True, slots=True)
class ControlRoom:
    """The answers to the page's four questions."""

    line: Line
    now: datetime
    window: Window
    classes: list[LabelClass]
    names: dict[str, str]
    policy: PolicyVersion
    rollback_to: int | None
    champion: Deployment | None
    challenger: Deployment | None
    positions: tuple[Position, ...]
    scores: tuple[ClassScores, ...]
    present: Outcome
    queue: queues.Queue
    flow: Flow
    trend: list[TrendPoint]
    blind: Agreement
    seen: Agreement
    errors: AuditedErrors
    scoreboard: truth.Scoreboard | None
    work: people.Work
    run: TrainingRun | None
    conveyor: Conveyor | None
    promise: Standing


def control_room(line: Line, window: Window, now: datetime) -> ControlRoom:
    """Read the room. Rates are over the items that arrived in the window."""
    since = window.start(now)
    classes = policies.classes_of(line)
    negative = policies.negative_of(classes)
    policy = policies.current(line)
    serving = models.in_service(line)
    champion = serving.get(Role.CHAMPION)
    version, keys = champion.model_version_id if champion else None, [entry.key for entry in classes]
    book = book_of(line)
    arrived, said, found = groups(book, since), scored(book, version, since), cells(book, since)
    scores = tuple(class_scores(entry.key, said, found, version) for entry in classes)
    present = outcome(scores, policy.thresholds)
    conveyor = Conveyor.objects.filter(line=line).first()
    return ControlRoom(
        line=line,
        now=now,
        window=window,
        classes=classes,
        names=policies.names_of(classes),
        policy=policy,
        rollback_to=policies.rollback_target(policy),
        champion=champion,
        challenger=serving.get(Role.CHALLENGER),
        positions=positions(present),
        scores=scores,
        present=present,
        queue=queues.queue(line, now),
        flow=flow(arrived, negative),
        trend=trend(arrived, window.edges(now)),
        blind=agreement(blind_cells(found, version), keys),
        seen=agreement(seen_cells(found, version), keys),
        errors=audited_errors(found, negative),
        scoreboard=truth.scoreboard(line, negative, since) if conveyor else None,
        work=people.work(line, now),
        run=models.latest_run(line),
        conveyor=conveyor,
        promise=standing_of(book, champion.model_version if champion else None, policy, now),
    )


def positions(present: Outcome) -> tuple[Position, ...]:
    """Return the five notches; what `partial` would do is counted, the others follow from what they are."""
    shares: dict[Mode, float | None] = dict.fromkeys((Mode.HUMAN_ONLY, Mode.SHADOW, Mode.ASSIST), 0.0)
    shares[Mode.PARTIAL] = present.automated / present.items if present.items else None
    shares[Mode.FULL] = 1.0
    return tuple(Position(notch, shares[notch.mode]) for notch in NOTCHES)


def alive(conveyor: Conveyor, now: datetime) -> bool:
    """Whether a conveyor process is there to follow the switch."""
    return conveyor.heartbeat_at is not None and now - conveyor.heartbeat_at < ALIVE
