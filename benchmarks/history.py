"""A line that has lived: a database full of items with all that goes with them, written fast and in true proportions.

Unless told otherwise 10,000 items arrive a day, whatever the number of items: a longer history, not a faster line. One line
gets 85 % of them, three others the rest. The model decides 85 %; people are asked about the others and about the audit sample
of 2 %. Of what they were asked, the newest 5 % of all items, and 50,000 at most, still wait; the rest was claimed, judged and
labelled.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from uuid import UUID

from django.contrib.auth.models import Group, User
from django.core.management.color import no_style
from django.db import connection, transaction
from django.utils import timezone
from rich.console import Console
from rich.progress import track

from gateway import deployments
from gateway.events import event
from gateway.models import DecidedBy, Decision, Deployment, Event, Item, ItemState, Prediction, Referral, ReferralState, Role
from gateway.roles import INSPECTORS, MANAGERS
from inference.models import ModelVersion
from policies.changes import Draft, active_policy
from policies.decide import Reason, Route
from policies.lines import ClassDraft, create_line
from policies.models import Limit, LimitForm, Line, PolicyVersion
from policies.modes import Mode
from review.models import Claim, ClaimEnd, Judgement, Label, LabelFeed, LabelSource

PER_DAY, AUDIT_RATE, AUTOMATED, MOST_OPEN = 10_000, 0.02, 0.85, 50_000
LINES = (("phones", 0.85), ("tiles", 0.05), ("screws", 0.05), ("boards", 0.05))
ANSWERS, WEIGHTS = ("ok", "scratch", "dent"), (90, 7, 3)
INSPECTORS_THERE = 8
CHUNK = 2_000


@dataclass
class Rows:
    """The rows of one chunk, a list a table, in the order in which they refer to each other."""

    items: list[Item] = field(default_factory=list)
    predictions: list[Prediction] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)
    referrals: list[Referral] = field(default_factory=list)
    claims: list[Claim] = field(default_factory=list)
    judgements: list[Judgement] = field(default_factory=list)
    labels: list[Label] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)

    def write(self) -> None:
        """Write them in one transaction."""
        with transaction.atomic():
            for rows in (self.items, self.predictions, self.decisions, self.referrals):
                type(rows[0]).objects.bulk_create(rows) if rows else None  # type: ignore[attr-defined]
            for rows in (self.claims, self.judgements, self.labels, self.events):
                type(rows[0]).objects.bulk_create(rows) if rows else None  # type: ignore[attr-defined]


class History:
    """Writes the rows of items, oldest first."""

    def __init__(self, lines: list[Line], people: list[User], versions: dict[int, ModelVersion], waiting: int) -> None:
        self._lines, self._people, self._versions, self._waiting = lines, people, versions, waiting
        self._policies: dict[int, PolicyVersion] = {line.pk: active_policy(line) for line in lines}
        self._chance = random.Random(7)
        self._ids, self._referrals, self._judgements, self._sequences = count(), count(1), count(1), {ln.pk: 0 for ln in lines}

    def rows(self, moments: list[datetime], left: int, now: datetime) -> Rows:
        """Return the rows of items that arrived at `moments`; `left` items come in all from the first of them on."""
        rows = Rows()
        for place, at in enumerate(moments):
            self._item(rows, at, waits=(left - place) * (1 - AUTOMATED) * 0.85 <= self._waiting, now=now)
        return rows

    def feeds(self) -> None:
        """Write where each line's label feed ends."""
        for line_id, last in self._sequences.items():
            LabelFeed.objects.update_or_create(line_id=line_id, defaults={"last_sequence": last})

    def _item(self, rows: Rows, at: datetime, *, waits: bool, now: datetime) -> None:
        chance = self._chance
        (line,) = chance.choices(self._lines, [share for _, share in LINES])
        policy, audit, automated = self._policies[line.pk], chance.random() < AUDIT_RATE, chance.random() < AUTOMATED
        (said,) = chance.choices(ANSWERS, WEIGHTS)
        truth = said if chance.random() > 0.004 else chance.choice(ANSWERS)
        open_now = waits and not automated and line is self._lines[0]
        judged = not automated and not open_now
        state = ItemState.REFERRED if open_now else ItemState.DECIDED
        number = next(self._ids)
        item = Item(
            id=UUID(int=(int(at.timestamp() * 1000) << 80 | 7 << 76 | 2 << 62 | number)), line=line, policy=policy,
            received_at=at, source="camera", external_id=f"SN-{number:09d}", metadata={"station": number % 4},
            media_digest=f"{number:064x}", media_type="image/jpeg", media_bytes=60_000, width=640, height=480,
            brightness=chance.gauss(120, 9), contrast=chance.gauss(40, 4), sharpness=chance.gauss(6, 0.5),
            draw=chance.random() * AUDIT_RATE if audit else AUDIT_RATE + chance.random() * (1 - AUDIT_RATE), in_audit=audit,
            route=Route.AUTOMATE if automated else Route.REFER,
            reason=Reason.CONFIDENT if automated else Reason.AUDIT if audit else Reason.UNCERTAIN,
            state=state, answer="" if open_now else truth if judged else said,
            decided_by="" if open_now else DecidedBy.PERSON if judged else DecidedBy.MODEL,
            decided_at=None if open_now else at, revision=0 if open_now else 1,
        )  # fmt: skip
        rows.items.append(item)
        self._said(rows, item, said, sure=automated)
        if not open_now:
            self._decided(rows, item, judged=judged)
        if audit or not automated:
            self._asked(rows, item, truth, open_now=open_now, now=now)

    def _said(self, rows: Rows, item: Item, said: str, *, sure: bool) -> None:
        score = self._chance.uniform(0.9, 1.0) if sure else self._chance.uniform(0.4, 0.9)
        rows.predictions.append(
            Prediction(
                item=item, role=Role.CHAMPION, model_version=self._versions[item.line_id], answer=said, score=score,
                probabilities={key: score if key == said else (1 - score) / 2 for key in ANSWERS},
                heatmap_rows=7, heatmap_columns=7, heatmap=bytes(49), latency_ms=4.0, created_at=item.received_at,
            )
        )  # fmt: skip

    def _decided(self, rows: Rows, item: Item, *, judged: bool) -> None:
        user = self._people[0] if judged else None
        rows.decisions.append(
            Decision(
                item=item, number=1, answer=item.answer, decided_by=item.decided_by, policy_id=item.policy_id, user=user,
                model_version=None if judged else self._versions[item.line_id], reason=item.reason, created_at=item.received_at,
            )
        )  # fmt: skip
        rows.events.append(
            event("item.decided", item=item, actor="benchmark", now=item.received_at, to_state=item.answer, reason=item.reason)
        )

    def _asked(self, rows: Rows, item: Item, truth: str, *, open_now: bool, now: datetime) -> None:
        at, number = item.received_at, next(self._referrals)
        answered = at + timedelta(minutes=5)
        # Of what waits, one in ten is overdue.
        due = None if not open_now else now - timedelta(hours=1) if number % 10 == 0 else now + timedelta(days=1)
        referral = Referral(
            id=number, item=item, line_id=item.line_id, reason=Reason.AUDIT if item.in_audit else Reason.UNCERTAIN,
            blind=item.in_audit, probability=1.0, created_at=at, due_at=due,
            state=ReferralState.OPEN if open_now else ReferralState.SETTLED, settled_at=None if open_now else answered,
        )  # fmt: skip
        rows.referrals.append(referral)
        rows.events.append(event("referral.opened", item=item, actor="benchmark", now=at, reason=referral.reason))
        if not open_now:
            self._judged(rows, item, referral, truth, answered)

    def _judged(self, rows: Rows, item: Item, referral: Referral, truth: str, at: datetime) -> None:
        number = next(self._judgements)
        who = self._people[number % len(self._people)]
        rows.claims.append(
            Claim(
                id=number, referral=referral, reviewer=who, claimed_at=item.received_at, expires_at=at, ended_at=at,
                end=ClaimEnd.ANSWERED,
            )
        )  # fmt: skip
        rows.judgements.append(
            Judgement(
                id=number, referral=referral, item=item, line_id=item.line_id, reviewer=who, claim_id=number, answer=truth,
                active_ms=2_000 + number % 3_000, saw_prediction=not referral.blind, blind=referral.blind,
                idempotency_key=f"history-{number}", created_at=at,
            )
        )  # fmt: skip
        self._sequences[item.line_id] += 1
        rows.labels.append(
            Label(
                line_id=item.line_id, item=item, sequence=self._sequences[item.line_id], answer=truth, blind=referral.blind,
                source=LabelSource.JUDGEMENT, seen=not referral.blind, in_audit=item.in_audit, inclusion_probability=1.0,
                created_at=at,
            )
        )  # fmt: skip
        rows.events.append(event("judgement.given", item=item, actor=f"user:{who.username}", now=at, to_state=truth))


def build(items: int, per_day: int = PER_DAY) -> None:
    """Fill an empty database with the history of so many items, which ends now."""
    now = timezone.now()
    began = now - timedelta(days=items / per_day, hours=1)
    people, lines = make_people(INSPECTORS_THERE), _lines(began)
    versions = {line.pk: _version(line) for line in lines}
    for line in lines:
        deployments.deploy(line, versions[line.pk], Role.CHAMPION, by=None, reason="benchmark", now=began)
    Deployment.objects.update(started_at=began)
    history = History(lines, people, versions, min(MOST_OPEN, items // 20))
    step = timedelta(days=1) / per_day
    for start in track(range(0, items, CHUNK), description=f"{items:,} items", console=Console(stderr=True)):
        places = range(start, min(start + CHUNK, items))
        history.rows([now - step * (items - place) for place in places], items - start, now).write()
    history.feeds()
    _finish()


def make_people(count: int) -> list[User]:
    """Make a manager and so many inspectors, and return these."""
    inspectors, managers = (Group.objects.get_or_create(name=name)[0] for name in (INSPECTORS, MANAGERS))
    people = [User.objects.create_user(f"inspector-{place}", password="inspector") for place in range(count)]
    for person in people:
        person.groups.add(inspectors)
    User.objects.create_user("manager", password="manager").groups.add(managers)
    return people


def _lines(began: datetime) -> list[Line]:
    drafts = [ClassDraft(key, key.capitalize(), f"What {key} means") for key in ANSWERS]
    policy = Draft(Mode.PARTIAL, thresholds=dict.fromkeys(ANSWERS, 0.9), audit_rate=AUDIT_RATE)
    lines = [create_line(slug, slug.capitalize(), "Is there a defect?", drafts, policy, now=began) for slug, _ in LINES]
    for line in lines:
        ok, dent = line.classes.get(key="ok"), line.classes.get(key="dent")
        Limit.objects.create(line=line, label_class=ok, form=LimitForm.ESCAPE, epsilon=0.01)
        Limit.objects.create(line=line, label_class=dent, form=LimitForm.ESCAPE, epsilon=0.05)
    return lines


def _version(line: Line) -> ModelVersion:
    return ModelVersion.objects.create(
        name=f"inspection-{line.slug}",
        kind="inspection",
        runtime="torch",
        classes=list(ANSWERS),
        weights_digest="0" * 64,
        card={},
    )


def _finish() -> None:
    """Let the numbers that the database gives go on after those given here, and let it know how its tables are filled."""
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), [Referral, Claim, Judgement]):
            cursor.execute(statement)
        for statement in _statistics():
            cursor.execute(statement)


def _statistics() -> Iterator[str]:
    yield "VACUUM ANALYZE" if connection.vendor == "postgresql" else "PRAGMA wal_checkpoint(TRUNCATE)"
