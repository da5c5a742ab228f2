"""Candidates are judged before they decide anything: they score past audits, and have their certificate when that is done."""

from __future__ import annotations

from datetime import datetime

from inference.models import ModelVersion
from monitoring.certifying import certify_line
from monitoring.selectors.models import to_be_judged
from monitoring.selectors.promises import standing
from policies.models import Limit, Line
from review.rescoring import score_past_audits

# Items that a model scores in one turn, so that a turn ends before the next one begins.
MOST = 256


def judge_candidates(line: Line, *, now: datetime) -> int:
    """Let the models whose certificates somebody may ask for score past audits; return how many items were scored.

    A model that has nothing left to score is certified once. Later certifications are asked for by people: who certified
    after every new audit until the answer pleased would claim more than the confidence covers.
    """
    return sum(_judge(line, version, now=now) for version in to_be_judged(line))


def _judge(line: Line, version: ModelVersion, *, now: datetime) -> int:
    done = score_past_audits(line, version, most=MOST)
    limits = list(Limit.objects.filter(line=line).select_related("label_class"))
    if done < MOST and limits and standing(line, version, limits) is None:
        certify_line(line, version, by=None, now=now)
    return done
