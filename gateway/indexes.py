"""The indexes of what grows. Each serves a question asked of a long history; `tests/test_query_plans.py` asks them all.

Foreign keys of tables that grow have no index of their own where one of these begins with the same column, or where nobody asks
by them: every row that is written would pay for it.
"""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from policies.decide import Reason

# As in `ReferralState`, `Role` and `DecidedBy`, which are defined where these indexes are used.
OPEN, CHAMPION, MODEL, RECALL = Q(state="open"), Q(role="champion"), "model", Reason.RECALL.value

ITEM = [
    models.Index(fields=["line", "-id"], name="item_by_line"),
    models.Index(fields=["line", "state", "-id"], name="item_by_state"),
    # What the list filters by, each in the list's order: a page is a range of one of these.
    models.Index(fields=["line", "answer", "-id"], name="item_by_answer"),
    models.Index(fields=["line", "route", "-id"], name="item_by_route"),
    models.Index(fields=["line", "reason", "-id"], name="item_by_reason"),
    models.Index(fields=["line", "decided_by", "-id"], name="item_by_who"),
    models.Index(fields=["line", "external_id", "-id"], name="item_by_serial"),
    # Whose photo goes next, and who else has the same bytes.
    models.Index(fields=["line", "received_at"], condition=Q(photo_deleted_at=None), name="photo_by_age"),
    models.Index(fields=["media_digest"], condition=Q(photo_deleted_at=None), name="photo_by_digest"),
    models.Index(fields=["decided_at"], condition=Q(consent=False, photo_deleted_at=None), name="photo_unwanted"),
    # The figures of a window are counted in this index alone.
    models.Index(fields=["line", "received_at", "decided_by", "route", "state", "answer"], name="item_flow"),
]

PREDICTION = [
    # Histograms of scores over a window are counted in this index alone.
    models.Index(
        fields=["model_version", "created_at", "answer", "score"],
        condition=CHAMPION,
        name="prediction_scores",
    ),
]

DECISION = [
    # What one model decided alone, class by class, in the order in which it came: where recalls look.
    models.Index(
        fields=["model_version", "answer", "created_at"],
        condition=Q(number=1, decided_by=MODEL),
        name="decision_of_a_model",
    ),
    # What one person decided: asked before an account may be deleted.
    models.Index(fields=["user"], condition=Q(user__isnull=False), name="decision_of_a_person"),
]

REFERRAL = [
    # The queue, overdue first, then priority, then age: each look at it is the beginning of one of these. Only open
    # referrals are in them.
    models.Index(F("line"), F("priority"), F("due_at"), F("id"), condition=OPEN, name="queue_overdue"),
    models.Index(
        F("line"),
        F("priority").desc(),
        F("created_at"),
        F("id"),
        condition=OPEN,
        name="queue_next",
    ),
    # Its length, its lateness and its age.
    models.Index(F("line"), F("due_at"), condition=OPEN, name="queue_by_due"),
    models.Index(F("line"), F("created_at"), F("due_at"), condition=OPEN, name="queue_by_age"),
    # What the clock looks for, on all lines at once.
    models.Index(F("due_at"), condition=OPEN, name="referral_due"),
    # Which items of a line a recall sent to people before.
    models.Index(fields=["line", "item"], condition=Q(reason=RECALL), name="referral_of_a_recall"),
]
