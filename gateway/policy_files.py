"""Policies as YAML: what a file says of each line, with the number of the line in the file where it says something wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

import yaml

from policies.changes import draft_of
from policies.models import LimitForm, Line, PolicyVersion
from policies.modes import Mode

HEAD = """\
# Policies of Sluice: "manage.py policy plan FILE" says what would change, "apply FILE --reason ..." changes it or asks for it.
# Shares are from 0 to 1. What is left out stays as it is; "thresholds" and "limits" are each taken as a whole.
"""
# What 1 - confidence has beyond these is the dust of binary fractions.
DIGITS = 12


class PolicyFileError(Exception):
    """The file cannot be understood, or says what nobody knows."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a file says of one line: values of `policies.changes.Draft` by name, limits, delta; None where it is silent."""

    slug: str
    # Where in the file it begins.
    row: int
    values: Mapping[str, Any] = field(default_factory=dict)
    limits: Mapping[tuple[str, str], float] | None = None
    delta: float | None = None


def export(lines: Iterable[tuple[Line, PolicyVersion]]) -> str:
    """Return the file that says what is in force. The lines' limits with their classes should be prefetched."""
    said = {line.slug: _entry(line, policy) for line, policy in lines}
    return HEAD + str(yaml.safe_dump({"lines": said}, sort_keys=False, allow_unicode=True))


def parse(text: str) -> list[Wanted]:
    """Return what the file says, in its order. Raises PolicyFileError with the first thing that is wrong."""
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise PolicyFileError(f"This is no YAML: {error}") from None
    if root is None:
        raise PolicyFileError("The file is empty.")
    found = _fields(root, "the file", {"lines": lambda node: [_line(*entry) for entry in _pairs(node, "lines")]})
    return list(found.get("lines", []))


def _entry(line: Line, policy: PolicyVersion) -> dict[str, Any]:
    draft = draft_of(policy)
    limits: dict[str, dict[str, float]] = {}
    for limit in line.limits.all():
        limits.setdefault(limit.label_class.key, {})[str(limit.form)] = limit.epsilon
    return {
        "mode": draft.mode.value,
        "thresholds": dict(draft.thresholds),
        "audit_rate": draft.audit_rate,
        "overlap": draft.overlap,
        "due_seconds": draft.due_seconds,
        "fail_safe": draft.fail_safe,
        "confidence": round(1 - line.delta, DIGITS),
        "limits": limits,
    }


def _line(key: yaml.ScalarNode, node: yaml.Node) -> Wanted:
    found = _fields(node, key.value, READERS)
    limits, confidence = found.pop("limits", None), found.pop("confidence", None)
    delta = None if confidence is None else round(1 - confidence, DIGITS)
    return Wanted(key.value, _row(key), found, limits, delta)


def _fields(node: yaml.Node, of: str, readers: Mapping[str, Callable[[yaml.Node], Any]]) -> dict[str, Any]:
    found = {}
    for key, value in _pairs(node, of):
        if key.value not in readers:
            known = ", ".join(readers)
            raise PolicyFileError(f"Line {_row(key)}: {of} has no {key.value!r}; it may have {known}.")
        found[key.value] = readers[key.value](value)
    return found


def _pairs(node: yaml.Node, of: str) -> list[tuple[yaml.ScalarNode, yaml.Node]]:
    """Return keys and values. A key that comes twice is refused: YAML would silently keep one of them."""
    if not isinstance(node, yaml.MappingNode):
        raise PolicyFileError(f"Line {_row(node)}: {of} should be a mapping of names to values; write {{}} for none.")
    seen: set[str] = set()
    for key, _ in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise PolicyFileError(f"Line {_row(key)}: a name is a word.")
        if key.value in seen:
            raise PolicyFileError(f"Line {_row(key)}: {key.value!r} comes twice.")
        seen.add(key.value)
    return list(node.value)


def _text(node: yaml.Node) -> str:
    if not isinstance(node, yaml.ScalarNode) or not node.value:
        raise PolicyFileError(f"Line {_row(node)}: there should be a word.")
    return str(node.value)


def _mode(node: yaml.Node) -> Mode:
    text = _text(node)
    if text not in list(Mode):
        raise PolicyFileError(f"Line {_row(node)}: there is no mode {text!r}; there are {', '.join(Mode)}.")
    return Mode(text)


def _number(node: yaml.Node) -> float:
    text = _text(node)
    try:
        value = float(text)
    except ValueError:
        raise PolicyFileError(f"Line {_row(node)}: {text!r} is no number.") from None
    if not isfinite(value):
        raise PolicyFileError(f"Line {_row(node)}: {text!r} is no number that means anything here.")
    return value


def _whole(node: yaml.Node) -> int:
    value = _number(node)
    if value != int(value):
        raise PolicyFileError(f"Line {_row(node)}: {value:g} is no whole number.")
    return int(value)


def _thresholds(node: yaml.Node) -> dict[str, float]:
    return {key.value: _number(value) for key, value in _pairs(node, "thresholds")}


def _limits(node: yaml.Node) -> dict[tuple[str, str], float]:
    forms = dict.fromkeys(LimitForm.values, _number)
    return {
        (key.value, form): epsilon
        for key, value in _pairs(node, "limits")
        for form, epsilon in _fields(value, f"limits of {key.value}", forms).items()
    }


def _row(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


READERS: Mapping[str, Callable[[yaml.Node], Any]] = {
    "mode": _mode,
    "thresholds": _thresholds,
    "audit_rate": _number,
    "overlap": _whole,
    "due_seconds": _whole,
    "fail_safe": _text,
    "confidence": _number,
    "limits": _limits,
}
