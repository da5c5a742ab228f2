"""How the promises page writes planning figures: with the digits that an estimate has."""

from __future__ import annotations

from django import template

register = template.Library()


@register.filter
def amount(value: float | None, otherwise: str = "\N{EN DASH}") -> str:
    """Return an estimated number: one digit behind the point below ten, none above, thousands set apart."""
    if value is None:
        return otherwise
    return f"{value:,.{1 if value < 10 else 0}f}".replace(",", "\u202f")
