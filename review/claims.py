"""Leases on referrals: taken, kept alive, given back, expired. The database lets one person have one at a time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import User
from django.db import IntegrityError, connection
from django.db.models import Exists, OuterRef, QuerySet

from gateway.compiled import Rows, Select, Update, moment, number, text
from gateway.events import actor_of, event, leave
from gateway.models import Prediction, Referral, ReferralState, Role
from gateway.prepared import Insert, New
from gateway.turns import in_turn
from policies.models import Line, Reveal
from review import left_pages
from review.errors import ClaimLost, PredictionHidden
from review.models import Claim, ClaimEnd
from review.queue import candidates

# One person may hold as many as the console prefetches, and no more: what is held, nobody else can judge.
MOST_HELD = 4
# Others reach for the same referrals in the same moment: so often is looked again where some went to them.
LOOKS = 5
# Looked at beyond what is wanted, as two of them may be about one item.
SPARE = 2
# The largest number of a row that a database has.
MAX_ID = 2**63 - 1

_claim, _claims = New(Claim), Insert(Claim, keys=True)
_stopped = Rows(lambda: Claim.objects.filter(ended_at=None, expires_at__lte=moment("now")).values_list("pk")[:1])
_one_at_a_time = Rows(lambda: User.objects.select_for_update(no_key=True).filter(pk=number("reviewer")).values_list("pk"))
_questions_held = Rows(
    lambda: Claim.objects.filter(reviewer=number("reviewer"), ended_at=None).values_list("referral__line", "referral__state")
)
_end = Update(
    lambda: Claim.objects.filter(pk=number("claim"), reviewer=number("reviewer"), ended_at=None),
    ended_at=moment("now"),
    end=text("how"),
)
_with_item: Select[Claim] = Select(
    lambda: (
        Claim.objects.select_for_update(of=("self", "referral", "referral__item"), no_key=True)
        .select_related("referral__item", "referral__line")
        .filter(pk=number("claim"))
    )
)


class Kept(NamedTuple):
    """What became of claims that a page wants to keep: still the page's, or with another page of the same person."""

    held: set[int]
    elsewhere: set[int]


def take(line: Line, reviewer: User, *, page: str = "", want: int, now: datetime) -> list[Claim]:
    """Claim up to `want` further referrals for the reviewer's page, the most urgent first."""
    expire(now=now)
    for _ in range(LOOKS):
        try:
            return _take_some(line, reviewer, page, want, now)
        except IntegrityError:
            continue  # somebody else was faster by a hair: look again
    return []


@in_turn()
def adopt(line: Line, reviewer: User, *, page: str = "", now: datetime) -> list[Claim]:
    """Move the reviewer's open claims on the line to this page, alive, and return them, oldest first.

    What a reloaded page goes on with. The page that had them before may still have something to say about them: its release
    can arrive after this. It is no longer asked.
    """
    if _begin(reviewer, page):
        return []
    mine = [claim.pk for claim in _held(line, reviewer)]
    if Claim.objects.filter(pk__in=mine, ended_at=None).update(page=page, expires_at=now + lease()) == 0:
        return []
    return [claim for claim in _held(line, reviewer) if claim.page == page]


def keep(claim_ids: Sequence[int], reviewer: User, *, page: str = "", now: datetime) -> Kept:
    """Extend the lease of those claims that are still the page's; those of another page are for that one to keep alive."""
    mine = _open(reviewer, pk__in=claim_ids)
    mine.filter(page=page).update(expires_at=now + lease())
    pages = dict(mine.values_list("pk", "page"))
    held = {claim for claim, holder in pages.items() if holder == page}
    return Kept(held, pages.keys() - held)


@in_turn()
def leave_page(reviewer: User, *, page: str = "", kept: Sequence[int] = (), now: datetime) -> int:
    """End the page's claims, but for those `kept` whose answers are on their way; return how many.

    Others get these referrals at once. A page that was left takes nothing any more, whatever it had asked for.
    """
    if not _begin(reviewer, page) and page:
        left_pages.note(reviewer, page, now=now)
    mine = Claim.objects.filter(reviewer=reviewer, page=page, ended_at=None).exclude(pk__in=kept)
    return mine.update(ended_at=now, end=ClaimEnd.RELEASED)


@in_turn()
def skip(claim_id: int, reviewer: User, *, now: datetime) -> None:
    """Leave a referral to others; it does not come back to this reviewer."""
    claim = end(claim_id, reviewer, ClaimEnd.SKIPPED, now=now)
    leave(event("referral.skipped", item=claim.referral.item, actor=actor_of(reviewer), now=now, reason=claim.referral.reason))


def expire(*, now: datetime) -> int:
    """End every claim whose heartbeat stopped, but for those that somebody is ending in this moment."""
    # Asked for with every claim: there is hardly ever one, and looking takes no lock.
    if _stopped.first(now=now) is None:
        return 0
    stopped = Claim.objects.filter(ended_at=None, expires_at__lte=now)
    with in_turn():
        free = stopped.select_for_update(skip_locked=True).values("pk")
        return stopped.filter(pk__in=free).update(ended_at=now, end=ClaimEnd.EXPIRED)


def end(claim_id: int, reviewer: User, how: ClaimEnd, *, now: datetime) -> Claim:
    """End the reviewer's own open claim and return it. Raises ClaimLost with what happened instead; this is the fence.

    Its referral and item come with it, both locked until the caller's transaction ends; not the line and the policy, which
    every post and judgement needs.
    """
    if claim_id > MAX_ID:
        raise ClaimLost("This claim is not yours.")
    # The locks come first. Somebody may have locked the referral a moment too late to claim it: who had ended the claim by then
    # would wait for that lock, and be waited for by the other's insertion.
    claim = _with_item.first(claim=claim_id)
    if claim is None or claim.reviewer_id != reviewer.pk:
        raise ClaimLost("This claim is not yours.")
    if _end.run(claim=claim_id, reviewer=reviewer.pk, now=now, how=how.value) != 1:
        raise ClaimLost(_what_happened(claim))
    return claim


@in_turn()
def reveal(claim_id: int, reviewer: User, *, now: datetime) -> Prediction | None:
    """Note that the reviewer now sees the prediction, and return it. Raises PredictionHidden where it is judged blind."""
    claim = Claim.objects.select_related("referral__item", "referral__line").filter(pk=claim_id, reviewer=reviewer).first()
    if claim is None:
        raise ClaimLost("This claim is not yours.")
    if reveal_of(claim.referral) == "never":
        raise PredictionHidden("What the model said is not shown for this item.")
    if Claim.objects.filter(pk=claim_id, ended_at=None).update(revealed_at=claim.revealed_at or now) != 1:
        raise ClaimLost(_what_happened(claim))
    if claim.revealed_at is None:
        about = claim.referral
        leave(event("prediction.revealed", item=about.item, actor=actor_of(reviewer), now=now, reason=about.reason))
    return Prediction.objects.filter(item=claim.referral.item_id, role=Role.CHAMPION).first()


def reveal_of(referral: Referral) -> str:
    """Return when this referral's reviewer may see the prediction: never, after, at_once."""
    if referral.blind or referral.line.reveal == Reveal.BLIND:
        return "never"
    return referral.line.reveal


def shown_when(claim: Claim) -> str:
    """Return `reveal_of` for a claim held already: on a line that now shows at once, one taken before is shown on asking.

    Only so is every prediction that was seen noted as seen.
    """
    reveal = reveal_of(claim.referral)
    return Reveal.AFTER if reveal == Reveal.AT_ONCE and claim.revealed_at is None else reveal


def lease() -> timedelta:
    """Return how long a claim lives without a heartbeat."""
    return timedelta(seconds=settings.CLAIM_SECONDS)


@in_turn()
def _take_some(line: Line, reviewer: User, page: str, want: int, now: datetime) -> list[Claim]:
    """Claim what is free, all in one transaction. Raises IntegrityError where one of them went to somebody else.

    Where rows are locked each is locked before it is claimed, and what others are about to take is passed over; where writers
    come one at a time nobody else is there. The constraint of one open claim a referral is the judge in either case.
    """
    if _begin(reviewer, page):
        return []
    held = _how_many_held(line, reviewer)
    room = min(want, MOST_HELD - held)
    if room <= 0:
        return []
    chosen: dict[UUID, Referral] = {}
    for referral in candidates(line, reviewer, now=now, count=room + SPARE, holds=held > 0):
        # Two questions about one item are not both for the same person.
        chosen.setdefault(referral.item_id, referral)
        if len(chosen) == room:
            break
    taken = _claims.all([_new_claim(referral, reviewer, page, now) for referral in chosen.values()])
    actor = actor_of(reviewer)
    leave(*(event("referral.claimed", item=referral.item, actor=actor, now=now) for referral in chosen.values()))
    return list(taken)


def _begin(reviewer: User, page: str) -> bool:
    """Let the reviewer's pages reach and leave one after the other, and return whether this one was left.

    So two of them together hold no more than one person may, and a page's last word is not overtaken by what it asked before.
    """
    if connection.features.has_select_for_update:
        _one_at_a_time.first(reviewer=reviewer.pk)
    return left_pages.was_left(reviewer, page)


def _held(line: Line, reviewer: User) -> list[Claim]:
    """Return the reviewer's open claims on the line, oldest first."""
    mine = Claim.objects.filter(reviewer=reviewer, ended_at=None).select_related("referral__item", "referral__line")
    # Sorted out here: asked for both, the database would begin with what is open, which may be much more than is held.
    claims = [one for one in mine if one.referral.line_id == line.pk and one.referral.state == ReferralState.OPEN]
    return sorted(claims, key=lambda claim: claim.pk)


def _how_many_held(line: Line, reviewer: User) -> int:
    """Return how many open questions of the line the reviewer holds. Sorted out here, as in `_held`."""
    return sum(found == (line.pk, ReferralState.OPEN) for found in map(tuple, _questions_held.all(reviewer=reviewer.pk)))


def _new_claim(referral: Referral, reviewer: User, page: str, now: datetime) -> Claim:
    return _claim(
        referral=referral,
        reviewer=reviewer,
        page=page,
        claimed_at=now,
        expires_at=now + lease(),
        revealed_at=now if reveal_of(referral) == Reveal.AT_ONCE else None,
    )


def _open(reviewer: User, **more: object) -> QuerySet[Claim]:
    """Return what the reviewer holds. A claim on a question that was settled meanwhile is worth nothing; it runs out.

    The referral is asked about in a subquery and not joined: an update then has its conditions on the claim's own row, where
    the database looks at them again if somebody else has just changed it.
    """
    referrals = Referral.objects.filter(pk=OuterRef("referral"), state=ReferralState.OPEN)
    return Claim.objects.filter(Exists(referrals), reviewer=reviewer, ended_at=None, **more)


def _what_happened(claim: Claim) -> str:
    later = Claim.objects.filter(referral=claim.referral_id, pk__gt=claim.pk).select_related("reviewer").order_by("-pk").first()
    if later is not None:
        verb = "has judged it" if later.end == ClaimEnd.ANSWERED else "has it now"
        return f"Your claim had expired and {later.reviewer.get_username()} {verb}; your answer was not counted."
    ends = {ClaimEnd.ANSWERED: "It was answered already.", ClaimEnd.SKIPPED: "You had skipped it."}
    return (
        ends.get(ClaimEnd(claim.end), "Your claim on it had ended; your answer was not counted.")
        if claim.end
        else ("Your claim on it had ended; your answer was not counted.")
    )
