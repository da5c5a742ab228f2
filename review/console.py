"""The review console: a page, and the few JSON calls that it makes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import wraps
from typing import Any, cast

from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_GET, require_POST

from gateway.compiled import Select, text
from gateway.errors import BadField, GatewayError
from gateway.problems import problem_response
from gateway.roles import inspector_required
from gateway.standing import Standing
from policies.changes import active_policy
from policies.models import Line
from review import cards, claims, judging, parsing, undoing
from review.queue import QueueFacts, queue_facts

# How long the reviewer looks before the prediction appears on a line that shows it after the first look.
FIRST_LOOK_MS = 1500

# Which line it is; when its predictions are shown is read with each referral.
_lines_by_slug: Select[Line] = Select(lambda: Line.objects.filter(slug=text("slug")))
_lines: Standing[str, Line] = Standing(lambda slug: _lines_by_slug.first(slug=slug))


@dataclass(frozen=True)
class _Asked:
    """A line, and when it was asked about, which makes no other question of it."""

    line: Line
    now: datetime = field(compare=False)


# Counted for everybody who takes something in the same moment.
_facts: Standing[_Asked, QueueFacts] = Standing(lambda asked: queue_facts(asked.line, now=asked.now))

JsonView = Callable[..., dict[str, Any]]


def json_view(view: JsonView) -> Callable[..., HttpResponseBase]:
    """Let a view of inspectors return a dict; our errors become problem details."""

    @inspector_required
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        found = JsonResponse(view(request, *args, **kwargs))
        # A policy for a document's content costs more than the content, and says nothing of JSON.
        found._csp_exempt = True  # type: ignore[attr-defined]
        return found

    @wraps(view)
    def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            return answer(request, *args, **kwargs)
        except (GatewayError, Http404, PermissionDenied, RequestDataTooBig) as error:
            return problem_response(error)

    return wrapper


@require_GET
@ensure_csrf_cookie
@inspector_required
def console(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the console of a line."""
    line = get_object_or_404(Line, slug=slug)
    return render(request, "review/console.html", {"line": line, "config": _config(line, request)})


@require_POST
@json_view
def take_next(request: HttpRequest, slug: str) -> dict[str, Any]:
    """Claim more referrals; with `resume`, the page takes over those that its person holds already, as after a reload."""
    line, now = _line(slug), timezone.now()
    data = parsing.body_of(request)
    who, page = _user(request), parsing.page_of(data)
    want = data.get("want", 3)
    if not isinstance(want, int) or isinstance(want, bool) or not 0 <= want <= claims.MOST_HELD:
        raise BadField(f"want must be between 0 and {claims.MOST_HELD}.")
    held = claims.adopt(line, who, page=page, now=now) if data.get("resume") else []
    taken = claims.take(line, who, page=page, want=max(want - len(held), 0), now=now)
    facts = _facts.get(_Asked(line, now)) or queue_facts(line, now=now)
    oldest = facts.oldest_at.isoformat() if facts.oldest_at else None
    return {
        "cards": cards.cards_json(held + taken),
        "queue": {"open": facts.open, "overdue": facts.overdue, "most": facts.most, "oldest_at": oldest},
    }


@require_POST
@json_view
def heartbeat(request: HttpRequest) -> dict[str, Any]:
    """Keep the page's claims alive; learn which were lost, and which another page of the same person has taken over."""
    now, data = timezone.now(), parsing.body_of(request)
    ids = parsing.ids_of(data)
    held, elsewhere = claims.keep(ids, _user(request), page=parsing.page_of(data), now=now)
    return {
        "held": sorted(held),
        "elsewhere": sorted(elsewhere),
        "lost": sorted(set(ids) - held - elsewhere),
        "expires_at": (now + claims.lease()).isoformat(),
    }


@require_POST
@json_view
def leave(request: HttpRequest) -> dict[str, Any]:
    """Leave a page: what it holds goes back, but for the claims `kept`, whose answers are still to be sent."""
    data = parsing.body_of(request)
    kept, page = parsing.ids_of(data, "kept"), parsing.page_of(data)
    return {"released": claims.leave_page(_user(request), page=page, kept=kept, now=timezone.now())}


@require_POST
@json_view
def judge(request: HttpRequest, claim_id: int) -> dict[str, Any]:
    """Take the answer to a claimed referral."""
    answer, key = parsing.answer_of(parsing.body_of(request)), parsing.key_of(request)
    judgement = judging.judge(_user(request), claim_id, answer, idempotency_key=key, now=timezone.now())
    return {"judgement": judgement.pk, "answer": judgement.answer, "item": str(judgement.item_id)}


@require_POST
@json_view
def revise(request: HttpRequest, judgement_id: int) -> dict[str, Any]:
    """Replace one of the last answers."""
    answer, key = parsing.answer_of(parsing.body_of(request)), parsing.key_of(request)
    judgement = judging.revise(_user(request), judgement_id, answer, idempotency_key=key, now=timezone.now())
    return {"judgement": judgement.pk, "answer": judgement.answer, "item": str(judgement.item_id)}


@require_POST
@json_view
def skip(request: HttpRequest, claim_id: int) -> dict[str, Any]:
    """Leave the referral to others."""
    claims.skip(claim_id, _user(request), now=timezone.now())
    return {}


@require_POST
@json_view
def reveal(request: HttpRequest, claim_id: int) -> dict[str, Any]:
    """Show the prediction, and note that it was seen."""
    prediction = claims.reveal(claim_id, _user(request), now=timezone.now())
    names = cards.class_names(prediction.item.line) if prediction else {}
    return {"prediction": cards.prediction_json(prediction, names)}


@require_GET
@json_view
def last(request: HttpRequest, slug: str) -> dict[str, Any]:
    """Return the reviewer's last ten answers on the line."""
    line = _line(slug)
    fresh = timezone.now() - timedelta(minutes=settings.REVISE_MINUTES)
    found = undoing.last_judgements(_user(request), line)
    return {"judgements": [cards.judgement_json(one, revisable=one.created_at > fresh) for one in found]}


def _config(line: Line, request: HttpRequest) -> dict[str, Any]:
    return {
        "line": {
            "slug": line.slug,
            "name": line.name,
            "question": line.question,
            "keep_zoom": line.keep_zoom,
            "reveal": line.reveal,
            "mode": active_policy(line).mode,
        },
        "classes": cards.label_book(line),
        "urls": {
            "next": reverse("console-next", args=[line.slug]),
            "heartbeat": reverse("console-heartbeat"),
            "leave": reverse("console-leave"),
            "recent": reverse("console-last", args=[line.slug]),
            "judge": reverse("console-judge", args=[0]),
            "skip": reverse("console-skip", args=[0]),
            "reveal": reverse("console-reveal", args=[0]),
            "revise": reverse("console-revise", args=[0]),
        },
        "first_look_ms": FIRST_LOOK_MS,
        "claim_seconds": settings.CLAIM_SECONDS,
        "user": request.user.get_username(),
    }


def _line(slug: str) -> Line:
    found = _lines.get(slug)
    if found is None:
        raise Http404
    return found


def _user(request: HttpRequest) -> User:
    return cast(User, request.user)
