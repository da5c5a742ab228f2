"""Which answers their reviewer may still change."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import Exists, OuterRef, QuerySet

from gateway.compiled import Rows, number
from gateway.models import Referral, ReferralState
from policies.models import Line
from review.errors import NotRevisable
from review.models import Judgement

# How far back a reviewer may undo.
LAST = 10

_lasts = Rows(
    lambda: Judgement.standing.filter(reviewer=number("reviewer"), line=number("line")).order_by("-id").values_list("pk")[:LAST]
)


def last_judgements(reviewer: User, line: Line) -> list[Judgement]:
    """Return the reviewer's last ten standing answers on the line, newest first."""
    standing = Judgement.standing.filter(reviewer=reviewer, line=line)
    return list(standing.select_related("item", "referral").order_by("-id")[:LAST])


def check_revisable(reviewer: User, old: Judgement, now: datetime) -> None:
    """Raise NotRevisable, with the reason, where the answer has to stay; its question is locked."""
    if (old.pk,) not in map(tuple, _lasts.all(reviewer=reviewer.pk, line=old.line_id)):
        raise NotRevisable(f"Only your last {LAST} answers can be changed, each once at a time.")
    if old.created_at < now - timedelta(minutes=settings.REVISE_MINUTES):
        raise NotRevisable(f"An answer can be changed for {settings.REVISE_MINUTES} minutes.")
    judged_since, asked_again = _since.first(old=old.pk)
    if judged_since:
        raise NotRevisable("Somebody else has judged this item since.")
    if asked_again:
        raise NotRevisable("People were asked about this item again since.")


def _later() -> QuerySet[Judgement, Any]:
    """Return whether somebody else judged an answer's item since, and whether people are asked the same about it again."""
    others = Judgement.objects.filter(item=OuterRef("item"), pk__gt=OuterRef("pk")).exclude(reviewer=OuterRef("reviewer"))
    asked = Referral.objects.filter(item=OuterRef("item"), reason=OuterRef("referral__reason"), state=ReferralState.OPEN)
    return Judgement.objects.filter(pk=number("old")).values_list(
        Exists(others.exclude(referral=OuterRef("referral"))), Exists(asked.exclude(pk=OuterRef("referral")))
    )


_since = Rows(_later)
