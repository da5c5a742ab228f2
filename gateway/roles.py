"""Who may do what: two groups of people, and the decorators and template context that ask for them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

from django.contrib.auth.models import AnonymousUser, User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase

INSPECTORS = "inspectors"
MANAGERS = "managers"

View = Callable[..., HttpResponseBase]


@dataclass(frozen=True, slots=True)
class Roles:
    """The roles of one user."""

    inspector: bool
    manager: bool


def roles_of(user: User | AnonymousUser) -> Roles:
    """Return the user's roles with one query a user object."""
    # In a request of a machine its token stands where the framework expects a user; a token has no roles.
    if not isinstance(user, User):
        return Roles(inspector=False, manager=False)
    kept: Roles | None = getattr(user, "_sluice_roles", None)
    if kept is None:
        groups = set(user.groups.values_list("name", flat=True))
        kept = Roles(inspector=INSPECTORS in groups, manager=MANAGERS in groups or user.is_superuser)
        user._sluice_roles = kept  # type: ignore[attr-defined]
    return kept


def context(request: HttpRequest) -> dict[str, Any]:
    """Give every template the roles of who looks at it."""
    user = getattr(request, "user", None)
    return {"roles": roles_of(user) if user is not None else Roles(inspector=False, manager=False)}


def inspector_required(view: View) -> View:
    """Let only inspectors in."""
    return _required(view, lambda roles: roles.inspector, "This page is for inspectors.")


def manager_required(view: View) -> View:
    """Let only managers in."""
    return _required(view, lambda roles: roles.manager, "This page is for managers.")


def _required(view: View, allowed: Callable[[Roles], bool], words: str) -> View:
    @wraps(view)
    def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not allowed(roles_of(request.user)):
            raise PermissionDenied(words)
        return view(request, *args, **kwargs)

    return wrapper
