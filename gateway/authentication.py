"""How a request shows its token, and whether the token may do what is asked."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils import timezone
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from gateway.errors import ScopeMissing
from gateway.models import ApiToken
from gateway.tokens import digest_of

# A busy camera's token would otherwise write a row a request; a minute is fine enough to see which tokens live.
LAST_USED_STEP = timedelta(minutes=1)


class BearerAuthentication(BaseAuthentication):
    """`Authorization: Bearer slc_…`"""

    def authenticate(self, request: Request) -> tuple[ApiToken, ApiToken] | None:
        """Return the token in the place of the user, or None where no token was sent."""
        scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        now = timezone.now()
        token = ApiToken.objects.select_related("line").filter(digest=digest_of(secret.strip())).first()
        if token is None:
            raise AuthenticationFailed("There is no such token.")
        refuse_ended(token, now)
        if token.last_used_at is None or token.last_used_at < now - LAST_USED_STEP:
            ApiToken.objects.filter(pk=token.pk).update(last_used_at=now)
        return token, token

    def authenticate_header(self, request: Request) -> str:
        """Return the challenge, without which a missing token would be 403 instead of 401."""
        return 'Bearer realm="sluice"'


def refuse_ended(token: ApiToken, now: datetime) -> None:
    """Raise AuthenticationFailed for a token that is revoked or past its time."""
    if token.revoked_at is not None:
        raise AuthenticationFailed("The token was revoked.")
    if token.expires_at is not None and token.expires_at <= now:
        raise AuthenticationFailed("The token has expired.")


class HasScope(BasePermission):
    """The view names its scope by method in `scopes`; a request without a token is 401, without the scope 403."""

    def has_permission(self, request: Request, view: object) -> bool:
        """Raise ScopeMissing with the scope that it takes."""
        if not isinstance(request.auth, ApiToken):
            return False
        needed = getattr(view, "scopes", {}).get("GET" if request.method == "HEAD" else request.method)
        if needed is not None and needed not in request.auth.scopes:
            raise ScopeMissing(f"This takes the scope {needed}; the token has {', '.join(request.auth.scopes)}.")
        return True
