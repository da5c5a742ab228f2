"""The watch over audited errors: an e-process for each limit, and what it finds in words and figures."""

from __future__ import annotations

from datetime import datetime

from monitoring.differences import percent
from monitoring.findings import Finding
from monitoring.known_audits import LINES_KEPT, Memory, key_of, known_audits
from monitoring.models import Watch
from monitoring.selectors.audited_decisions import Anchor, Audit, Stream, anchor_of, limits_of, streams
from monitoring.stream_evidence import Evidence, evidence
from policies.models import Limit, LimitForm, Line

# Item ids of errors kept with an alarm.
ERRORS_KEPT = 200

Watched = tuple[Stream, Evidence]
# What was made of which audits under which limits at which alpha.
Stated = tuple[tuple[str, str, str, float], ...]
_watched: Memory[tuple[tuple[Audit, ...], Stated, float, list[Watched]]] = Memory(LINES_KEPT)


def watched_errors(line: Line, anchor: Anchor) -> list[Watched]:
    """Return each limit's stream since the anchor with its evidence, with two queries where nothing is new since the last look.

    The line's alpha is shared equally over all its limits: among all of them a false alarm comes with a chance of at most
    alpha between one anchor and the next.
    """
    limits = limits_of(line)
    if not limits:
        return []
    audits, stated, key = known_audits(line, anchor), _stated(limits), key_of(line, anchor)
    before = _watched.get(key)
    if before is not None and before[0] is audits and before[1:3] == (stated, line.alpha):
        return before[3]
    found = streams(limits, audits)
    watched = [(one, evidence(one.outcomes, one.epsilon, alpha=line.alpha, streams=len(found))) for one in found]
    _watched.put(key, (audits, stated, line.alpha, watched))
    return watched


def _stated(limits: list[Limit]) -> Stated:
    return tuple((limit.label_class.key, limit.label_class.name, limit.form, limit.epsilon) for limit in limits)


def error_findings(line: Line) -> list[Finding]:
    """Return a finding for each limit whose evidence was ever enough since the anchor."""
    anchor = anchor_of(line)
    return [
        Finding(Watch.ERRORS, anchor.since, error_words(stream, seen), _figures(line, stream, seen), stream.label, stream.form)
        for stream, seen in watched_errors(line, anchor)
        if seen.alarm_at is not None
    ]


def error_words(stream: Stream, seen: Evidence) -> str:
    """Return what was seen in a few words: "6 escapes in 212 audits, limit 0.5 %"."""
    limit = f"limit {percent(stream.epsilon)}"
    if stream.form == LimitForm.OVERKILL:
        return f"{seen.k} of {seen.n} audited items that are {stream.name} decided as something else, {limit}"
    if not stream.negative:
        return f"{seen.k} of {seen.n} audited decisions for {stream.name} wrong, {limit}"
    return f"{seen.k} {'escape' if seen.k == 1 else 'escapes'} in {seen.n} audits, {limit}"


def _figures(line: Line, stream: Stream, seen: Evidence) -> dict[str, object]:
    return {
        "name": stream.name,
        "negative": stream.negative,
        "n": seen.n,
        "k": seen.k,
        "limit": seen.limit,
        "alpha": line.alpha,
        "log_e": seen.log_e,
        "log_peak": seen.log_peak,
        "line": seen.line,
        "alarm_at": seen.alarm_at,
        "curve": [list(point) for point in seen.points],
        "errors": [str(item) for item in stream.errors[-ERRORS_KEPT:]],
        "first_at": _written(stream.first_at),
        "last_at": _written(stream.last_at),
    }


def _written(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
