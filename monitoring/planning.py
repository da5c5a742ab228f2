"""The audit planner on the page: what it starts with, and its rows and drawing. Pure but for what the page has read already."""

from __future__ import annotations

from typing import Any

from monitoring.charts.plan import plan_chart, rates_to_draw
from monitoring.forms import number, percent_of
from monitoring.planner import plan
from monitoring.promise_forms import PlannerForm
from monitoring.selectors.promise_room import PromiseRoom
from policies.models import Limit

# Audit rates beside the chosen one.
RATES = (0.01, 0.02, 0.05, 0.1, 0.2)
DEFAULT_LIMIT = 0.005
# What is expected where nothing is certified yet: a quarter of the limit, as at a strict threshold, and most items counted.
ERROR_OF_LIMIT, SHARE = 0.25, 0.9
# As small as the form takes.
LEAST_SHARE = 0.001


def planner_values(room: PromiseRoom) -> dict[str, str]:
    """Return what the planner starts with: the line's strictest limit, its pace, and what the audits say of the class."""
    limit = min(room.limits, key=lambda one: one.epsilon, default=None)
    epsilon = limit.epsilon if limit else DEFAULT_LIMIT
    error, share = _counted(room, limit) if limit else (None, None)
    values = {
        "limit": percent_of(epsilon),
        # Delta is shared by the limits.
        "confidence": round(percent_of(1 - room.line.delta / max(1, len(room.limits))), 3),
        "volume": round(room.promise.pace.volume_per_day, 1),
        "rate": percent_of(room.promise.pace.audit_rate),
        "error": round(percent_of(epsilon * ERROR_OF_LIMIT if error is None else error), 3),
        "share": round(percent_of(SHARE if share is None else share), 1),
    }
    return {name: number(value) for name, value in values.items()}


def planner_context(form: PlannerForm, alpha: float) -> dict[str, Any]:
    """Return the rows and the drawing of a valid form, or what is wrong with it."""
    if not form.is_valid():
        words = [f"{form.fields[name].label}: {message}" for name, found in form.errors.items() for message in found]
        return {"planner_problem": " ".join(words)}
    chosen = form.audit_rate
    target, expected = form.target(alpha), form.expected
    rows = plan(target, expected, sorted({*RATES, chosen}))
    drawn = plan(target, expected, rates_to_draw(chosen))
    mine = next(row for row in rows if row.audit_rate == chosen)
    return {"plans": rows, "plan_chart": plan_chart(drawn, mine), "chosen_plan": mine, "target": target, "expected": expected}


def _counted(room: PromiseRoom, limit: Limit) -> tuple[float | None, float | None]:
    """Return the error rate and the share of items that the limit counts, as certified; None where that is not known."""
    if room.certification is None or not room.certification.audits:
        return None, None
    rows = room.certification.certificates.all()
    found = next((row for row in rows if (row.label, row.form) == (limit.label_class.key, limit.form) and row.certified), None)
    if found is None or found.k is None or not found.n:
        return None, None
    # An estimate at the limit would never be certified again, which is no plan.
    return min(found.k / found.n, limit.epsilon * 0.9), max(LEAST_SHARE, found.n / room.certification.audits)
