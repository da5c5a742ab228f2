"""The what-if page's figures as its template and its sliders take them. Pure but for what the trial has loaded already."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import numpy as np

from monitoring.cells import FINE
from monitoring.charts.histogram import histogram
from monitoring.charts.trade import trade
from monitoring.differences import changes_in_words
from monitoring.evidence import comparison
from monitoring.forms import PolicyForm
from monitoring.pages import ThresholdPanel
from monitoring.replay import UNKNOWN, Past
from monitoring.selectors.policies import names_of, negative_of
from monitoring.threshold_curve import ThresholdCurve, threshold_curve
from monitoring.trial_forms import sent_values
from monitoring.trials import LineTrial, is_certified
from monitoring.what_if import ClassScores
from policies.automation import lowers
from policies.certify.binomial import lower_bound, upper_bound
from policies.changes import draft_of
from policies.models import LimitForm, PolicyVersion
from policies.modes import NOTCHES

TITLES = {"present": "In force", "draft": "This draft", "certified": "Certified"}
TAIL = 0.025
# Bounds of the overkill rate that the sliders read; between them a straight line is as good.
BOUNDS = 500


def trial_context(found: LineTrial, form: PolicyForm) -> dict[str, Any]:
    """Return the template's context."""
    names, present = names_of(found.classes), draft_of(found.policy)
    curve = threshold_curve(found.past, len(found.classes))
    limit = _limit(found)
    chart = trade(curve, {key: found.evidence[key] for key in found.columns}, limit)
    certified = found.certification.thresholds if found.certification else {}
    return {
        "line": found.line,
        "trial": found,
        "policy": found.policy,
        "form": form,
        "panels": [
            ThresholdPanel(label, form.rows[label.key], histogram(scores, found.draft.thresholds.get(label.key)))
            for label, scores in zip(found.classes, _scores(found), strict=True)
        ],
        "notches": NOTCHES,
        "names": names,
        "negative": negative_of(found.classes),
        "columns": [(key, TITLES[key]) for key in found.columns],
        "comparison": comparison(found.evidence, found.columns),
        "evidence": found.evidence,
        "chart": chart,
        "limit": limit,
        "curve": payload(found, curve, chart.top),
        "differences": changes_in_words(present, found.draft, names),
        "sent": sent_values(found.draft, found.classes),
        "certified_address": urlencode(sent_values(found.certified, found.classes)) if found.certified else "",
        "certified_thresholds": certified,
        "is_certified": is_certified(found.draft, found.certification),
        "asks_nobody": lowers(present, found.draft) or not found.line.approvals,
        "fail_safes": [(PolicyVersion.HOLD, "Hold: it waits, nothing passes")]
        + [(label.key, f"Reject as {label.name}") for label in found.classes if not label.is_negative],
    }


def payload(found: LineTrial, curve: ThresholdCurve, top: float) -> dict[str, Any]:
    """Return what the sliders read: counts and bounds at each threshold of one grid, from strict to loose."""
    keys = [entry.key for entry in found.classes]
    negative = found.past.negative
    most = int(curve.rejected_good[:, -1].sum())
    counts = np.unique(np.linspace(0, most, min(most, BOUNDS) + 1).astype(int))
    seconds = found.loaded.seconds
    return {
        "items": curve.items,
        "hours": found.past.hours,
        "seconds": float(seconds.mean()) if len(seconds) else None,
        "negative": keys[negative],
        "thresholds": _short(curve.thresholds, 8),
        "decided": dict(zip(keys, curve.decided.tolist(), strict=True)),
        "audited": curve.wrong.n[negative].tolist(),
        "wrong": curve.wrong.k[negative].tolist(),
        "low": _short(curve.wrong.low[negative], 6),
        "high": _short(curve.wrong.high[negative], 6),
        "good": curve.good,
        "rejected": dict(zip(keys, curve.rejected_good.tolist(), strict=True)),
        "bounds": {
            "counts": counts.tolist(),
            "low": _short(lower_bound(counts, curve.good, TAIL), 6),
            "high": _short(upper_bound(counts, curve.good, TAIL), 6),
        },
        "top": top,
    }


def _limit(found: LineTrial) -> float | None:
    """Return the escape limit of the line's negative, which is the one that the chart shows."""
    return next((row.epsilon for row in found.limits if row.label_class.is_negative and row.form == LimitForm.ESCAPE), None)


def _scores(found: LineTrial) -> list[ClassScores]:
    """Return the scores of each class for its picture; right and wrong are told by blind random labels alone."""
    past: Past = found.past
    steps = np.minimum(np.floor(past.score * FINE + 1e-9), FINE).astype(np.int64)
    known = past.truth != UNKNOWN
    rows = []
    for place, entry in enumerate(found.classes):
        mine = past.said == place
        right, wrong = mine & (past.truth == place), mine & known & (past.truth != place)
        counts = [tuple(np.bincount(steps[part], minlength=FINE + 1).tolist()) for part in (mine, right, wrong, mine & known)]
        rows.append(ClassScores(entry.key, counts[0], counts[1], counts[2], counts[3], counts[2]))
    return rows


def _short(values: Any, digits: int) -> list[float]:
    """Return floats with the digits that a slider can show."""
    return [round(float(value), digits) for value in values]
