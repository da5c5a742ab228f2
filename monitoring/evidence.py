"""What a replay found, as JSON that a request freezes, and as rows that people read. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import Any

from monitoring.replay import Errors, Range, Replay

Json = dict[str, Any]
NOTHING = "\N{EN DASH}"


@dataclass(frozen=True, slots=True)
class Figure:
    """A number with its interval where it was estimated, and what it was estimated from."""

    text: str
    interval: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One figure for each policy that is compared."""

    title: str
    note: str
    figures: tuple[Figure, ...]


def column(found: Replay, audit_looks: float) -> Json:
    """Return a replay as JSON. `audit_looks` is the share of looks that come on top, where audited items get several."""
    return {
        "automated_share": found.automated_share,
        "referrals_per_hour": found.referrals_per_hour,
        "reviewer_hours": _range(found.reviewer_hours, 1 + audit_looks),
        "escapes": _errors(found.escapes),
        "overkill": _errors(found.overkill),
    }


def comparison(evidence: Json, columns: list[str]) -> list[Row]:
    """Return the rows of the table; `columns` are the keys of the policies that are there, in their order."""
    found = [evidence[key] for key in columns]
    days = evidence["hours"] / 24
    return [
        Row("Decided by the model", "of all items", tuple(Figure(percent(one["automated_share"])) for one in found)),
        Row("People look at", "items an hour", tuple(Figure(plain(one["referrals_per_hour"])) for one in found)),
        Row("Reviewers work", "hours a day", tuple(_hours(one["reviewer_hours"], days) for one in found)),
        Row("Escape rate", "of what the model passes, the defective", tuple(_rate(one["escapes"]) for one in found)),
        Row("Escapes", "expected among these items", tuple(_expected(one["escapes"]) for one in found)),
        Row("Overkill rate", "of the good items, those that it rejects", tuple(_rate(one["overkill"]) for one in found)),
        Row("Good ones rejected", "expected among these items", tuple(_expected(one["overkill"]) for one in found)),
    ]


def percent(value: float) -> str:
    """Return a share in per cent with the digits that matter."""
    near = min(value, 1 - value)
    digits = 0 if near >= 0.1 or near == 0 else 1 if near >= 0.01 else 2
    return f"{value * 100:.{digits}f} %"


def plain(value: float) -> str:
    """Return a number with about two digits that matter, thousands set apart."""
    return (
        f"{value:,.0f}".replace(",", "\u202f")
        if value >= 10 or value == 0
        else f"{value:.1f}"
        if value >= 1
        else f"{value:.2g}"
    )


def _hours(found: Json | None, days: float) -> Figure:
    if found is None or days <= 0:
        return Figure(NOTHING, note="nobody's time was measured yet")
    high = "?" if found["high"] is None else plain(found["high"] / days)
    return Figure(plain(found["value"] / days), f"{plain(found['low'] / days)} to {high}")


def _rate(found: Json) -> Figure:
    if found["rate"] is None:
        return Figure(NOTHING, note="no audited item speaks for it")
    rate = found["rate"]
    return Figure(
        percent(rate["value"]), f"{percent(rate['low'])} to {percent(rate['high'])}", f"{found['k']} of {found['n']} audited"
    )


def _expected(found: Json) -> Figure:
    if found["expected"] is None:
        return Figure(NOTHING)
    expected = found["expected"]
    return Figure(plain(expected["value"]), f"{plain(expected['low'])} to {plain(expected['high'])}")


def _errors(found: Errors) -> Json:
    return {"n": found.n, "k": found.k, "rate": _range(found.rate), "expected": _range(found.expected)}


def _range(found: Range | None, times: float = 1.0) -> Json | None:
    """Return an interval as JSON, which knows no infinity: an end that is not there is null."""
    if found is None:
        return None
    high = found.high * times if isfinite(found.high) else None
    return {"value": found.value * times, "low": found.low * times, "high": high}
