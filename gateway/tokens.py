"""Machines' bearer tokens: hashed, scoped, revocable, with the time of their last use."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime

from django.contrib.auth.models import User

from gateway.errors import BadField
from gateway.models import ApiToken
from policies.models import Line

SCOPES = {
    "items:write": "Post items, bring predictions, appeal",
    "items:read": "Read items, decisions and explanations",
    "predictions:read": "See what the model said",
    "labels:read": "Read the label feed and export datasets",
    "datasets:write": "Freeze the labels as a new dataset version",
}


def create_token(
    name: str,
    *,
    scopes: Sequence[str],
    line: Line | None,
    by: User | None,
    now: datetime,
    expires_at: datetime | None = None,
) -> tuple[ApiToken, str]:
    """Create a token and return it with its secret, which cannot be had again."""
    unknown = sorted(set(scopes) - set(SCOPES))
    if unknown or not scopes:
        raise BadField(f"A token needs one or more of the scopes {', '.join(SCOPES)}; not {', '.join(unknown) or 'none'}.")
    if not name.strip():
        raise BadField("A token needs a name that tells whose it is.")
    if ApiToken.objects.filter(name=name.strip()).exists():
        raise BadField(f"There is a token called {name.strip()!r} already.")
    secret = f"slc_{secrets.token_urlsafe(32)}"
    token = ApiToken.objects.create(
        name=name.strip()[:100],
        prefix=secret[:12],
        digest=digest_of(secret),
        scopes=sorted(set(scopes)),
        line=line,
        created_by=by,
        created_at=now,
        expires_at=expires_at,
    )
    return token, secret


def revoke_token(token: ApiToken, *, by: User | None, now: datetime) -> bool:
    """Revoke the token from the next request on; False where somebody had done so before."""
    return ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=now, revoked_by=by) == 1


def digest_of(secret: str) -> str:
    """Return what is kept of a token."""
    # 256 random bits need no slow hash: there is nothing to guess.
    return hashlib.sha256(secret.encode()).hexdigest()
