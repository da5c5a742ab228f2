"""What the database knows about how things run, as gauges for a scrape: the same whichever process is asked."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence

from django.db.models import Count, Min, Q
from django.utils import timezone
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from gateway.models import ItemState, Referral, ReferralState
from gateway.webhooks.models import Delivery, DeliveryState
from monitoring.error_watch import watched_errors
from monitoring.models import Alarm
from monitoring.selectors.audited_decisions import anchor_of
from policies.models import Line, PolicyVersion
from policies.modes import NOTCHES, Mode
from review.models import Claim, TrainingRun, TrainingState

Family = GaugeMetricFamily
Read = Callable[[], Sequence[Family]]


class Cached(Collector):
    """Asks the database at most every `seconds`, however often it is scraped."""

    def __init__(self, read: Read, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._read, self._seconds, self._clock = read, seconds, clock
        self._lock = threading.Lock()
        self._found: Sequence[Family] = ()
        self._until = float("-inf")

    def collect(self) -> Iterator[Family]:
        """Yield the gauges."""
        with self._lock:
            if self._clock() >= self._until:
                self._found = self._read()
                self._until = self._clock() + self._seconds
            found = self._found
        yield from found


def queues() -> list[Family]:
    """Return what waits for people, by line, with two queries."""
    count = Family("sluice_open_referrals", "Referrals that wait for people.", labels=["line"])
    late = Family("sluice_overdue_referrals", "Open referrals past their due time.", labels=["line"])
    oldest = Family("sluice_oldest_referral_seconds", "Age of the oldest open referral.", labels=["line"])
    now = timezone.now()
    found = Referral.objects.filter(state=ReferralState.OPEN).values_list("line_id")
    facts = found.annotate(open=Count("pk"), late=Count("pk", filter=Q(due_at__lte=now)), first=Min("created_at")).order_by()
    rows = {line: (open_, overdue, first) for line, open_, overdue, first in facts}
    for pk, slug in Line.objects.values_list("pk", "slug"):
        open_, overdue, first = rows.get(pk, (0, 0, now))
        count.add_metric([slug], open_)
        late.add_metric([slug], overdue)
        oldest.add_metric([slug], max(0.0, (now - first).total_seconds()))
    return [count, late, oldest]


def work() -> list[Family]:
    """Return what the worker should have done by now, with four queries: it grows where no worker lives."""
    waiting = Family("sluice_work_waiting", "Things that are the worker's to do now.", labels=["work"])
    oldest = Family("sluice_work_oldest_seconds", "For how long the oldest of them waits.", labels=["work"])
    now = timezone.now()
    overdue = Referral.objects.filter(state=ReferralState.OPEN, due_at__lte=now, item__state=ItemState.REFERRED)
    expired = Claim.objects.filter(ended_at=None, expires_at__lte=now)
    unsent = Delivery.objects.filter(state=DeliveryState.PENDING, next_at__lte=now)
    queued = TrainingRun.objects.filter(state=TrainingState.QUEUED)
    for name, rows, since in (
        ("fail_safe", overdue, "due_at"),
        ("claims", expired, "expires_at"),
        ("training", queued, "created_at"),
        ("webhooks", unsent, "next_at"),
    ):
        facts = rows.aggregate(number=Count("pk"), first=Min(since))
        waiting.add_metric([name], facts["number"])
        oldest.add_metric([name], (now - facts["first"]).total_seconds() if facts["first"] else 0.0)
    return [waiting, oldest]


def dials() -> list[Family]:
    """Return where each line's dial stands and how many alarms nobody has seen, with two queries."""
    mode = Family("sluice_line_mode", "The notch of the dial: 0 human_only to 4 full.", labels=["line"])
    unseen = Family("sluice_unseen_alarms", "Guardrail alarms that nobody has seen.", labels=["line"])
    alarms = dict(Alarm.objects.filter(seen_at=None).values_list("line__slug").annotate(Count("pk")).order_by())
    places = [notch.mode for notch in NOTCHES]
    active = PolicyVersion.objects.filter(superseded_at=None, line__retired_at=None)
    for slug, chosen in active.values_list("line__slug", "mode"):
        mode.add_metric([slug], places.index(Mode(chosen)))
        unseen.add_metric([slug], alarms.get(slug, 0))
    return [mode, unseen]


def guardrails() -> list[Family]:
    """Return the evidence of each limit that is watched, as the guardrail itself computes it; its alarm is at the line."""
    labels = ["line", "label", "form"]
    value = Family("sluice_guardrail_evidence", "Evidence (natural logarithm) that a limit is broken.", labels=labels)
    alarm = Family("sluice_guardrail_alarm_at", "The evidence at which the guardrail acts.", labels=labels)
    for line in Line.objects.filter(retired_at=None, limits__isnull=False).distinct():
        for stream, seen in watched_errors(line, anchor_of(line)):
            value.add_metric([line.slug, stream.label, stream.form], seen.log_e)
            alarm.add_metric([line.slug, stream.label, stream.form], seen.line)
    return [value, alarm]
