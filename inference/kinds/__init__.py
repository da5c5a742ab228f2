"""The kinds of input Sluice can look at, by name."""

from __future__ import annotations

from inference.errors import UnknownKind
from inference.kinds.base import Decoded, Kind, Limits
from inference.kinds.inspection import Inspection

__all__ = ["Decoded", "Kind", "Limits", "get", "names"]

# The one table: a new kind is a file in this folder and a row here.
KINDS: dict[str, Kind] = {kind.name: kind for kind in (Inspection(),)}


def get(name: str) -> Kind:
    """Return the kind called `name`. Raises `UnknownKind`."""
    try:
        return KINDS[name]
    except KeyError:
        raise UnknownKind(f"There is no kind {name!r}; there are: {', '.join(names())}.") from None


def names() -> list[str]:
    """Return the names of all kinds, in the order of the table."""
    return list(KINDS)
