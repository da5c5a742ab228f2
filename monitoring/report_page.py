"""The weekly report as its template takes it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from monitoring.bias_words import leaning_row
from monitoring.charts.evidence import EvidenceChart, evidence_chart
from monitoring.charts.flow_bar import segments
from monitoring.charts.whisker import common_top
from monitoring.differences import title
from monitoring.error_watch import error_words
from monitoring.errors_found import audited_errors
from monitoring.intervals import Share, share
from monitoring.pages import error_rates
from monitoring.promise_words import holds, name_of, sentence_of
from monitoring.selectors.audited_decisions import Stream
from monitoring.selectors.policies import names_of, negative_of
from monitoring.selectors.report import WeeklyReport
from monitoring.stream_evidence import evidence
from policies.models import Certificate, Limit
from policies.modes import Mode


@dataclass(frozen=True, slots=True)
class LimitWeek:
    """One limit: what is certified for it, and what the week's own audits say."""

    name: str
    sentence: str
    # None where nobody had worked it out for the champion by the end of the week.
    found: Certificate | None
    # Whether the proof is about the limit as it is stated now, and covers the policy in force at the end of the week.
    same: bool
    in_force: bool
    observed: Share
    watched: str
    chart: EvidenceChart | None


def report_context(report: WeeklyReport) -> dict[str, Any]:
    """Return the template's context."""
    errors = audited_errors(report.cells, negative_of(report.classes))
    return {
        "line": report.line,
        "report": report,
        "week": report.week,
        "names": names_of(report.classes),
        "opening": title(Mode(report.opening.mode)) if report.opening else "",
        "closing": title(Mode(report.closing.mode)) if report.closing else "",
        "history": [(change, title(Mode(change.policy.mode))) for change in report.changes],
        "flow": report.flow,
        "segments": segments(report.flow),
        "error_rates": error_rates(errors),
        "error_axis": common_top([errors.escapes, errors.overkill]),
        "rows": limit_weeks(report),
        "leaning": leaning_row(report.leanings.everybody),
    }


def limit_weeks(report: WeeklyReport) -> list[LimitWeek]:
    """Return a row for each limit, in their order."""
    return [
        _limit_week(report, limit, observed, watched)
        for limit, observed, watched in zip(report.limits, report.observed, report.watched, strict=True)
    ]


def _limit_week(report: WeeklyReport, limit: Limit, observed: Stream, watched: Stream) -> LimitWeek:
    label, proof, policy = limit.label_class, report.certification, report.closing
    rows = proof.certificates.all() if proof else ()
    found = next((row for row in rows if (row.label, row.form) == (label.key, limit.form)), None)
    certified = proof.thresholds if proof else {}
    seen = evidence(watched.outcomes, limit.epsilon, alpha=report.line.alpha, streams=len(report.limits))
    return LimitWeek(
        name_of(label, limit.form),
        sentence_of(label, limit.form, limit.epsilon),
        found,
        same=found is not None and found.epsilon == limit.epsilon,
        in_force=policy is not None
        and holds(label.key, limit.form, mode=Mode(policy.mode), in_force=policy.thresholds, certified=certified),
        observed=share(sum(observed.outcomes), len(observed.outcomes)),
        watched=error_words(watched, seen),
        chart=evidence_chart(seen.points, seen.line, seen.alarm_at) if seen.n else None,
    )
