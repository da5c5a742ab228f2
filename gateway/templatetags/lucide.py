"""Icons, drawn once: their package makes each of them anew from its tree of elements, which took a tenth of a page's time.

The package is no app here, so that templates get this library where they load `lucide` as its manual says.
"""

from __future__ import annotations

from functools import lru_cache

from django import template
from lucide.templatetags.lucide import lucide as draw

register = template.Library()


@register.simple_tag
def lucide(name: str, *, size: int | None = 24, **attributes: object) -> str:
    """Return the icon of that name as inline SVG."""
    return _drawn(name, size, tuple(attributes.items()))


@lru_cache(512)
def _drawn(name: str, size: int | None, attributes: tuple[tuple[str, object], ...]) -> str:
    return draw(name, size=size, **dict(attributes))
