"""What the control room's views share: finding a line, who asks, and our errors as words for people."""

from __future__ import annotations

from typing import cast
from uuid import UUID

from django.contrib.auth.models import User
from django.http import HttpRequest
from django.shortcuts import get_object_or_404

from policies.models import Line


def find_line(slug: str) -> Line:
    """Return the line, or raise Http404. A retired line can still be looked at."""
    return get_object_or_404(Line, slug=slug)


def user_of(request: HttpRequest) -> User:
    """Return who asks; every page here is behind a login."""
    return cast(User, request.user)


def reason_of(request: HttpRequest, otherwise: str) -> str:
    """Return the reason typed into a form, or what stands for one where it may be left out."""
    # Without NULs, which no database column holds: the red switch must not fail for its reason.
    return request.POST.get("reason", "").replace("\0", "").strip()[:200] or otherwise


def number_of(request: HttpRequest, name: str) -> int:
    """Return a whole number from a form of ours; -1, which is no version, where somebody sent something else."""
    text = request.POST.get(name, "")
    return int(text) if text.isdecimal() and len(text) < 10 else -1


def id_of(text: str) -> UUID | None:
    """Return the cursor of a page; none, hence the first page, where an address was cut short."""
    try:
        return UUID(text)
    except ValueError:
        return None


def refusal(error: Exception) -> str:
    """Return an error of ours as a sentence for people."""
    return str(getattr(error, "detail", "") or error)
