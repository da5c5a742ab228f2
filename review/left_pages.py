"""Pages of the console that were left: what they had asked for just before is no longer taken for them.

A page that is closed may have a question on its way. Answered after the page gave its items back, it would take items that
nobody sees until their lease ends.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.contrib.auth.models import User

from gateway.compiled import Rows, number, text
from review.models import LeftPage

# Longer than any request is on its way.
REMEMBERED = timedelta(hours=1)

_left = Rows(lambda: LeftPage.objects.filter(reviewer=number("reviewer"), page=text("page")).values_list("pk"))


def note(reviewer: User, page: str, *, now: datetime) -> None:
    """Remember that the reviewer's page was left; once is enough."""
    LeftPage.objects.bulk_create([LeftPage(reviewer=reviewer, page=page, left_at=now)], ignore_conflicts=True)


def was_left(reviewer: User, page: str) -> bool:
    """Return whether the reviewer left this page. A client without pages, whose name is empty, leaves none."""
    return bool(page) and _left.first(reviewer=reviewer.pk, page=page) is not None


def forget(*, now: datetime) -> int:
    """Forget pages that were left so long ago that nothing of theirs is on its way; return how many."""
    return LeftPage.objects.filter(left_at__lt=now - REMEMBERED).delete()[0]
