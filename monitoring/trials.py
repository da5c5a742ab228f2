"""Trying a policy on a line's past before it is asked for: the present one, the draft and the certified one side by side."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gateway.models import Deployment, Role
from monitoring.certifying import same_promise
from monitoring.evidence import column
from monitoring.replay import PERSON, UNKNOWN, Past, Replay, Trial, flipped, replay
from monitoring.selectors import models, policies
from monitoring.selectors.past import LinePast, line_past
from policies.changes import Draft, draft_of
from policies.models import Certification, LabelClass, Limit, Line, PolicyVersion
from policies.modes import Mode

# Flipped items that are named.
SHOWN = 24
# Certifications looked through for one about today's limits.
NEWEST = 20


@dataclass(frozen=True, slots=True)
class LineTrial:
    """A draft on a line's past. `evidence` is what a request freezes: JSON, ids of flipped items among it."""

    line: Line
    classes: list[LabelClass]
    policy: PolicyVersion
    champion: Deployment | None
    certification: Certification | None
    limits: list[Limit]
    draft: Draft
    # What is certified, put into the policy in force; None where nothing is.
    certified: Draft | None
    loaded: LinePast
    evidence: dict[str, Any]

    @property
    def past(self) -> Past:
        """The arrays."""
        return self.loaded.past

    @property
    def columns(self) -> list[str]:
        """The keys of the policies that `evidence` compares."""
        return [key for key in ("present", "draft", "certified") if self.evidence[key] is not None]


def trial(line: Line, draft: Draft | None, *, days: int = 14, now: datetime) -> LineTrial:
    """Return what `draft` would have done with the line's items of the last days, beside the policy in force.

    Without a draft the certified thresholds are tried, where there are any, else the policy in force. 100,000 items take about
    half a second. Errors are counted on blind labels of randomly chosen items alone.
    """
    classes = policies.classes_of(line)
    policy = policies.current(line)
    champion = models.in_service(line).get(Role.CHAMPION)
    limits = list(line.limits.select_related("label_class"))
    certification = certification_of(line, champion, limits)
    loaded = line_past(line, classes, champion, now - timedelta(days=days), now)
    certified = _certified(draft_of(policy), certification)
    tried = draft or certified or draft_of(policy)
    evidence = _evidence(loaded, classes, {"present": draft_of(policy), "draft": tried, "certified": certified})
    evidence |= {
        "days": days,
        "policy": policy.number,
        "model": champion.model_version.name if champion else None,
        "certification": certification.pk if certification else None,
        "to": now.isoformat(),
    }
    return LineTrial(line, classes, policy, champion, certification, limits, tried, certified, loaded, evidence)


def certification_of(line: Line, champion: Deployment | None, limits: list[Limit]) -> Certification | None:
    """Return the newest certification of the model in service for today's limits; any other proves nothing about them."""
    if champion is None or not limits:
        return None
    version = champion.model_version
    rows = Certification.objects.filter(line=line, model_name=version.name, weights_digest=version.weights_digest)
    found = rows.prefetch_related("certificates").order_by("-id")[:NEWEST]
    return next((row for row in found if same_promise(row, limits, line.delta)), None)


def is_certified(draft: Draft, certification: Certification | None) -> bool:
    """Return whether the draft decides alone at certified thresholds, or at fewer of them."""
    if draft.mode.level < Mode.PARTIAL.level:
        return True
    if certification is None or draft.mode is Mode.FULL:
        return False
    return all(certification.thresholds.get(key) == threshold for key, threshold in draft.thresholds.items())


def _certified(present: Draft, certification: Certification | None) -> Draft | None:
    if certification is None or not certification.thresholds:
        return None
    return replace(present, mode=Mode.PARTIAL, thresholds=dict(certification.thresholds))


def _evidence(loaded: LinePast, classes: list[LabelClass], drafts: dict[str, Draft | None]) -> dict[str, Any]:
    keys = [entry.key for entry in classes]
    replays = {name: _replay(loaded, keys, draft) for name, draft in drafts.items() if draft is not None}
    turned = flipped(replays["present"].decided, replays["draft"].decided)
    columns = {
        name: column(found, _more_looks(loaded.past, found, drafts[name])) if (found := replays.get(name)) else None
        for name in drafts
    }
    return columns | {
        "items": len(loaded.ids),
        "all_items": not loaded.full,
        "hours": loaded.past.hours,
        "from": loaded.oldest.isoformat() if loaded.oldest else None,
        "audited": int((loaded.past.truth != UNKNOWN).sum()),
        "judgements": len(loaded.seconds),
        "flips": {"count": len(turned), "items": _flips(loaded, turned, replays, keys)},
    }


def _replay(loaded: LinePast, keys: list[str], draft: Draft) -> Replay:
    thresholds = tuple(draft.thresholds.get(key) for key in keys)
    return replay(loaded.past, Trial(draft.mode, thresholds, draft.audit_rate), loaded.seconds)


def _more_looks(past: Past, found: Replay, draft: Draft | None) -> float:
    """Return the looks that further judgements of audited items add, as a share of the items looked at."""
    if draft is None or not found.looked_at:
        return 0.0
    return (draft.overlap - 1) * int((past.draw < draft.audit_rate).sum()) / found.looked_at


def _flips(loaded: LinePast, turned: NDArray[np.intp], replays: dict[str, Replay], keys: list[str]) -> list[dict[str, Any]]:
    """Return the flipped items that the model was least sure of, with what would be decided before and after."""
    least_sure = turned[np.argsort(loaded.past.score[turned], kind="stable")][:SHOWN]
    before, after = replays["present"].decided, replays["draft"].decided
    return [
        {
            "id": str(loaded.ids[place]),
            "before": _name(keys, int(before[place])),
            "after": _name(keys, int(after[place])),
            "score": float(loaded.past.score[place]),
        }
        for place in map(int, least_sure)
    ]


def _name(keys: list[str], decided: int) -> str | None:
    return None if decided == PERSON else keys[decided]
