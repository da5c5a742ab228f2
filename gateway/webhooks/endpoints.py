"""What managers do with endpoints, and when an endpoint is switched off by itself."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction

from gateway.errors import BadField, GatewayError
from gateway.events import actor_of, event
from gateway.models import Event
from gateway.webhooks.addresses import Resolver, check_url, resolve
from gateway.webhooks.horizon import last_seen, settled
from gateway.webhooks.models import Endpoint
from gateway.webhooks.schedule import GONE, Reply
from gateway.webhooks.signing import new_secret
from gateway.webhooks.types import TYPES
from policies.models import Line

# After a rotation messages carry the signatures of both secrets for this long.
OVERLAP = timedelta(hours=24)
# An endpoint that took nothing for so long is switched off.
PATIENCE = timedelta(days=5)


class EndpointDisabled(GatewayError):
    """Nothing is sent to an endpoint that is switched off."""

    status = 409
    code = "endpoint-disabled"
    title = "The endpoint is switched off"


def create_endpoint(
    name: str,
    url: str,
    *,
    types: Sequence[str],
    line: Line | None,
    by: User | None,
    now: datetime,
    resolver: Resolver = resolve,
) -> Endpoint:
    """Create an endpoint that is told what happens from now on; its secret is in what is returned.

    Raises BadField. Asks the name service, so call it outside a transaction.
    """
    unknown = sorted(set(types) - set(TYPES))
    if unknown or not types:
        raise BadField(f"An endpoint wants one or more of {', '.join(TYPES)}; not {', '.join(unknown) or 'none'}.")
    if not name.strip() or len(name.strip()) > 100:
        raise BadField("An endpoint needs a name of up to 100 characters that tells whose it is.")
    check_url(url, resolver)
    # Where a long move holds up the horizon, what is being written at this very moment may go untold to a new endpoint.
    position = settled()
    try:
        with transaction.atomic():
            return Endpoint.objects.create(
                name=name.strip(),
                url=url,
                line=line,
                types=[one for one in TYPES if one in types],
                secret=new_secret(),
                position=last_seen() if position is None else position,
                created_by=by,
                created_at=now,
            )
    except IntegrityError:
        raise BadField(f"There is an endpoint called {name.strip()!r} already.") from None


def rotate_secret(endpoint: Endpoint, *, now: datetime) -> str:
    """Give the endpoint a new secret and return it; the one before is valid beside it for `OVERLAP`."""
    secret = new_secret()
    Endpoint.objects.filter(pk=endpoint.pk).update(secret=secret, previous_secret=endpoint.secret, previous_until=now + OVERLAP)
    return secret


@transaction.atomic
def disable(endpoint: Endpoint, *, by: User, now: datetime) -> bool:
    """Switch the endpoint off; False where it was. Its cursor stays, so that nothing is lost when it comes back.

    One that had switched itself off stays off, and the banner about it goes away.
    """
    rows = Endpoint.objects.filter(pk=endpoint.pk)
    off = rows.filter(disabled_at=None).update(disabled_at=now, disabled_why=f"Switched off by {by.username}.") == 1
    rows.update(failing_since=None)
    if off:
        _leave_events("webhook.disabled", endpoint, actor_of(by), now, "")
    return off


@transaction.atomic
def enable(endpoint: Endpoint, *, by: User, now: datetime) -> bool:
    """Switch the endpoint on again; False where it was. What happened meanwhile is sent now."""
    off = Endpoint.objects.filter(pk=endpoint.pk).exclude(disabled_at=None)
    if off.update(disabled_at=None, disabled_why="", failing_since=None) != 1:
        return False
    _leave_events("webhook.enabled", endpoint, actor_of(by), now, "")
    return True


def note_outcome(endpoint: Endpoint, replies: Sequence[Reply], now: datetime) -> None:
    """Keep since when nothing gets through, and switch the endpoint off where that is too long or it says that it is gone."""
    rows = Endpoint.objects.filter(pk=endpoint.pk)
    if any(reply.status == GONE for reply in replies):
        _give_up(endpoint, "It answered 410: gone for good.", now)
    elif any(reply.status is not None and 200 <= reply.status < 300 for reply in replies):
        rows.exclude(failing_since=None).update(failing_since=None)
    elif rows.filter(failing_since=None).update(failing_since=now) == 0 and rows.filter(failing_since__lt=now - PATIENCE):
        _give_up(endpoint, f"Nothing got through for {PATIENCE.days} days.", now)


def given_up() -> list[Endpoint]:
    """Return the endpoints that switched themselves off, until somebody has seen to them."""
    return list(Endpoint.objects.exclude(disabled_at=None).exclude(failing_since=None))


def _give_up(endpoint: Endpoint, why: str, now: datetime) -> None:
    on = Endpoint.objects.filter(pk=endpoint.pk, disabled_at=None)
    if on.update(disabled_at=now, disabled_why=why, failing_since=endpoint.failing_since or now) == 1:
        _leave_events("webhook.disabled", endpoint, "system:webhooks", now, why)


def _leave_events(kind: str, endpoint: Endpoint, actor: str, now: datetime, why: str) -> None:
    """Write the move into the history of each line that it concerns."""
    lines = Line.objects.filter(retired_at=None) if endpoint.line_id is None else Line.objects.filter(pk=endpoint.line_id)
    data = {"endpoint": endpoint.pk, "name": endpoint.name}
    Event.objects.bulk_create(event(kind, line=line, actor=actor, now=now, reason=why, data=data) for line in lines)
