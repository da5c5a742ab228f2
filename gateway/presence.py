"""Who is there: the person of a session, with their roles, remembered for a moment as tokens are at the door.

Who judges item after item would be looked up three times each, which costs as much as the answer itself. Who was logged out or
lost a role is let in for ROAD_CACHE_SECONDS at most; what they may see of an item is asked anew every time.
"""

from __future__ import annotations

import copy
from types import SimpleNamespace
from typing import cast

from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore
from django.http import HttpRequest

from gateway.roles import roles_of
from gateway.standing import Standing


def person_of(request: HttpRequest) -> User | None:
    """Return who is logged in, with their roles known; None where nobody is. The object is the request's own."""
    key = request.COOKIES.get(settings.SESSION_COOKIE_NAME)
    found = _standing.get(key) if key else None
    return copy.copy(found) if found is not None else None


def _ask(key: str) -> User | None:
    """Return whose session it is by all the rules: it has not ended, the password is the one of then, the person is active."""
    user = get_user(cast(HttpRequest, SimpleNamespace(session=SessionStore(key))))
    if not isinstance(user, User):
        return None
    roles_of(user)
    return user


_standing: Standing[str, User] = Standing(_ask)
