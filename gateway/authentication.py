"""How a request shows its token, and whether the token may do what is asked."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils import timezone
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed, NotAuthenticated
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from gateway import log_context
from gateway.compiled import Select, text
from gateway.errors import ScopeMissing
from gateway.models import ApiToken
from gateway.standing import Standing
from gateway.tokens import digest_of

# A busy camera's token would otherwise write a row a request; a minute is fine enough to see which tokens live.
LAST_USED_STEP = timedelta(minutes=1)
CHALLENGE = 'Bearer realm="sluice"'


class BearerAuthentication(BaseAuthentication):
    """`Authorization: Bearer slc_…`"""

    def authenticate(self, request: Request) -> tuple[ApiToken, ApiToken] | None:
        """Return the token in the place of the user, or None where no token was sent."""
        token = token_of(request.META.get("HTTP_AUTHORIZATION", ""))
        return None if token is None else (token, token)

    def authenticate_header(self, request: Request) -> str:
        """Return the challenge, without which a missing token would be 403 instead of 401."""
        return CHALLENGE


class HasScope(BasePermission):
    """The view names its scope by method in `scopes`; a request without a token is 401, without the scope 403."""

    def has_permission(self, request: Request, view: object) -> bool:
        """Raise ScopeMissing with the scope that it takes."""
        if not isinstance(request.auth, ApiToken):
            return False
        require(request.auth, getattr(view, "scopes", {}).get("GET" if request.method == "HEAD" else request.method))
        return True


def token_of(header: str) -> ApiToken | None:
    """Return the token that an Authorization header shows, None for no bearer. Raises AuthenticationFailed."""
    scheme, _, secret = header.partition(" ")
    if scheme.lower() != "bearer":
        return None
    now = timezone.now()
    digest = digest_of(secret.strip())
    token = _standing.get(digest)
    if token is None:
        raise refused("There is no such token.")
    refuse_ended(token, now)
    if token.last_used_at is None or token.last_used_at < now - LAST_USED_STEP:
        ApiToken.objects.filter(pk=token.pk).update(last_used_at=now)
        _standing.forget(digest)
    log_context.bind(token=token.name)
    return token


def refuse_ended(token: ApiToken, now: datetime) -> None:
    """Raise AuthenticationFailed for a token that is revoked or past its time."""
    if token.revoked_at is not None:
        raise refused("The token was revoked.")
    if token.expires_at is not None and token.expires_at <= now:
        raise refused("The token has expired.")


def authorised(header: str, scope: str) -> ApiToken:
    """Return the token where it has the scope, as the framework does around a view. Raises for 401 and 403."""
    token = token_of(header)
    if token is None:
        error = NotAuthenticated()
        error.auth_header = CHALLENGE  # type: ignore[attr-defined]
        raise error
    require(token, scope)
    return token


def require(token: ApiToken, scope: str | None) -> None:
    """Raise ScopeMissing where the token lacks the scope."""
    if scope is not None and scope not in token.scopes:
        raise ScopeMissing(f"This takes the scope {scope}; the token has {', '.join(token.scopes)}.")


def refused(why: str) -> AuthenticationFailed:
    """Return the error of a token that is no good, with the challenge that makes it a 401."""
    error = AuthenticationFailed(why)
    error.auth_header = CHALLENGE  # type: ignore[attr-defined]
    return error


_tokens = Select(lambda: ApiToken.objects.filter(digest=text("digest")).order_by())
_standing: Standing[str, ApiToken] = Standing(lambda digest: _tokens.first(digest=digest))
