"""What a reviewer says, and what was said to a question so far."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from gateway.compiled import Rows, number
from gateway.errors import BadField
from gateway.models import Referral
from gateway.standing import Standing
from policies.models import LabelClass, Line
from review.consolidation import Consensus, consolidate
from review.models import Judgement


@dataclass(frozen=True, slots=True)
class Answer:
    """What a reviewer says about an item; an empty class key is unsure."""

    key: str
    regions: list[dict[str, Any]] = field(default_factory=list)
    comment: str = ""
    active_ms: int = 0


class Said(NamedTuple):
    """What counts of a judgement that stands."""

    judgement: int
    answer: str
    blind: bool
    saw_prediction: bool


_given = Rows(
    lambda: Judgement.standing.filter(referral=number("referral")).values_list("pk", "answer", "blind", "saw_prediction")
)
_class_keys = Rows(lambda: LabelClass.objects.filter(line=number("line")).order_by().values_list("key"))
_classes: Standing[int, frozenset[str]] = Standing(lambda line: frozenset(key for (key,) in _class_keys.all(line=line)))


def check_answer(line: Line, answer: Answer) -> None:
    """Raise BadField where the answer names a class that the line does not have."""
    named = ({answer.key} - {Judgement.UNSURE}) | {str(region.get("label")) for region in answer.regions}
    unknown = sorted(named - (_classes.get(line.pk) or frozenset()))
    if unknown:
        # It may have been added a moment ago.
        _classes.forget(line.pk)
        unknown = sorted(named - (_classes.get(line.pk) or frozenset()))
    if unknown:
        raise BadField(f"The line has no class {', '.join(map(repr, unknown))}.")


def standing_answers(referral: Referral) -> list[Said]:
    """Return the answers to a question that stand; it is locked, so that no other comes meanwhile."""
    return [Said(*row) for row in _given.all(referral=referral.pk)]


def said(judgement: Judgement) -> Said:
    """Return what counts of a judgement."""
    return Said(judgement.pk, judgement.answer, judgement.blind, judgement.saw_prediction)


def consensus_of(referral: Referral, given: Sequence[Said]) -> Consensus:
    """Return where the answers to a question stand."""
    return consolidate([one.answer for one in given], referral.wanted)
