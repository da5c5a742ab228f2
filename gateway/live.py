"""Whether anything moved on a line: one cheap question, asked by open pages every two seconds.

Every move leaves an event in its transaction, so the newest events of a line are its version. A page asks with the stamp
that it has and gets 304, without a session, a user or a template: one query of an index. Only where the stamp differs does
it fetch its parts anew.

Several of the newest events are in the stamp, not the last alone: where many write at once, 7 can be seen before 6. What
only the clock moves (something becomes overdue, a window slides on) leaves no event; for that the stamp changes every half
a minute by itself.

Server push was weighed and left: with threads for requests, as here, each open page would hold one.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta

from django.contrib.auth.decorators import login_not_required
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from gateway.models import Event
from policies.models import Line

RECENT = 16
# Seconds after which a stamp is another one though nothing happened.
STALE_SECONDS = 30
# A ticket says only whether something moved, and is valid for an hour; the page then gets a new one with its login.
TICKET_AGE = timedelta(hours=1)
# How long before it is seen an event may say that it was.
LATE = timedelta(seconds=3)
# Every line.
ALL = 0

_signer = signing.TimestampSigner(salt="gateway.live")


def ticket_url(line: Line | None = None) -> str:
    """Return the address at which a page learns whether anything moved on `line`, or on any."""
    return reverse("live", args=[_signer.sign(str(line.pk if line else ALL))])


@login_not_required
@require_GET
def changed(request: HttpRequest, ticket: str) -> HttpResponse:
    """Answer 304 where nothing moved since the stamp in If-None-Match, else 200 with the stamp of now; never with a body.

    Without a stamp it is 200 where something moved since the page was made, and 204 otherwise. 403: the ticket ran out.
    """
    now = timezone.now()
    try:
        line_id = int(_signer.unsign(ticket, max_age=TICKET_AGE))
    except signing.BadSignature:
        return HttpResponse(status=403)
    events = _newest(line_id)
    etag = f'"{_stamp(events, ticket, now)}"'
    known = request.headers.get("If-None-Match")
    moved = known != etag if known else bool(events) and events[0][1] >= _made_at(ticket) - LATE
    return HttpResponse(status=200 if moved else 304 if known else 204, headers={"ETag": etag, "Cache-Control": "no-store"})


def _newest(line_id: int) -> list[tuple[int, datetime]]:
    events = Event.objects.filter(line=line_id) if line_id != ALL else Event.objects.all()
    return list(events.order_by("-id").values_list("id", "at")[:RECENT])


def _stamp(events: list[tuple[int, datetime]], ticket: str, now: datetime) -> str:
    # Each page has a phase of its own, so that they do not all come at once.
    phase = int.from_bytes(hashlib.sha256(ticket.encode()).digest()[:2]) % STALE_SECONDS
    period = (int(now.timestamp()) + phase) // STALE_SECONDS
    return hashlib.sha256(f"{period} {[number for number, _ in events]}".encode()).hexdigest()[:16]


def _made_at(ticket: str) -> datetime:
    """Return when a ticket that was checked was made, in whole seconds."""
    return datetime.fromtimestamp(signing.b62_decode(ticket.rsplit(":", 2)[1]), tz=UTC)
