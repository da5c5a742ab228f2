"""How the control room writes figures: per cent, counts, shares with interval and n, verdicts with icon and word."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from monitoring.differences import due_in_words, fail_safe_name
from monitoring.forms import number, percent_of
from monitoring.intervals import Share
from monitoring.story import answer_name

register = template.Library()
NOTHING = "\N{EN DASH}"


@register.filter
def percent(value: float | None) -> str:
    """Return a share in per cent with the digits that matter: 12 %, 4.2 %, 0.31 %, 99.4 %."""
    if value is None:
        return NOTHING
    near = min(value, 1 - value) if 0 <= value <= 1 else abs(value)
    digits = 0 if near >= 0.1 or near == 0 else 1 if near >= 0.01 else 2
    return f"{value * 100:.{digits}f} %"


@register.filter
def points(value: float | None) -> str:
    """Return a difference of shares in percentage points, with its sign."""
    return NOTHING if value is None else f"{value * 100:+.1f}".replace("-", "\N{MINUS SIGN}")


@register.filter
def figure(value: float | None) -> str:
    """Return a measure between 0 and 1 with three digits."""
    return NOTHING if value is None else f"{value:.3f}"


@register.filter
def count(value: int | None) -> str:
    """Return a whole number with its thousands set apart."""
    return NOTHING if value is None else f"{value:,}".replace(",", "\u202f")


@register.filter
def plain(value: object) -> str:
    """Return a number as an input field takes it."""
    return number(value)


@register.filter
def in_percent(share: float) -> str:
    """Return a share in per cent as an input field takes it."""
    return number(percent_of(share))


@register.filter
def entry(mapping: dict[str, Any], key: str) -> Any:
    """Return the value of a key that is itself a variable; the key where there is none."""
    return mapping.get(key, key)


@register.filter
def due(seconds: int) -> str:
    """Return a due time in words."""
    return due_in_words(seconds)


@register.simple_tag
def fail_safe(key: str, names: dict[str, str]) -> str:
    """Return what happens to an item that nobody decided in time."""
    return fail_safe_name(key, names)


@register.simple_tag
def ago(at: datetime | None, form: str = "ago") -> SafeString | str:
    """Return a time that the page's script turns into "5 min ago", or with form "age" into "5 min"."""
    if at is None:
        return NOTHING
    local = timezone.localtime(at)
    return format_html('<time datetime="{}" data-time="{}">{}</time>', local.isoformat(), form, f"{local:%d %b %Y %H:%M}")


@register.inclusion_tag("monitoring/_share.html")
def share(found: Share, of: str = "") -> dict[str, Any]:
    """Show an estimated share with its interval and its n; `of` names what n counts."""
    return {"share": found, "of": of}


@register.inclusion_tag("monitoring/_verdict.html")
def verdict(answer: str, names: dict[str, str], negative: str) -> dict[str, Any]:
    """Show an answer with the colour, icon and word that it has everywhere."""
    tone = {"": "unsure", "hold": "held", negative: "pass"}.get(answer, "fail")
    icon = {"unsure": "circle-question-mark", "held": "pause", "pass": "check", "fail": "x"}[tone]
    return {"tone": tone, "icon": icon, "name": answer_name(answer, names)}
