"""What the guarantees are worth, by simulation: how often certified thresholds break a limit, and how the guardrail acts.

    python benchmarks/guarantee.py [--repetitions 1000]

1. Certified thresholds from n audited items, with the naive choice beside it: the loosest thresholds whose observed rates keep
   the limits.
2. The same from a running partial line, on which only referred and audited items are judged. Naive: every error known, over all
   items, as if what nobody looked at had been right.
3. The guardrail over 20,000 audits at the limit, looked at after each one, and the audits until it demotes a line whose escape
   rate goes from .25 % to 1 % and to 2 % after 3,000 audits.

`line_model.py` says what the line is like. The last line of the output is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks import line_model as line
from monitoring.eprocess import curve, threshold
from policies.certify.certify import certify
from policies.certify.words import Certification, Form, Limit

ESCAPE, OVERKILL, DELTA = 0.005, 0.02, 0.05
LIMITS = (Limit(line.GOOD, Form.ESCAPE, ESCAPE), Limit(line.GOOD, Form.OVERKILL, OVERKILL))
SIZES = (1_000, 5_000, 20_000)
# The partial line: its policy of today, and its audit rate.
TODAY = (0.95, 0.80)
AUDIT_RATE = 0.2
ALARM_LIMIT, QUIET, AUDITS, CHANGE_AT = 0.005, 0.0025, 20_000, 3_000
STREAMS_AT_ONCE = 50
Array = np.ndarray[Any, Any]
console = Console(width=120)


def main() -> None:
    """Measure all three and print them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=1_000)
    repetitions = parser.parse_args().repetitions
    started = time.monotonic()
    fresh = {n: fresh_line(n, repetitions, line.TRAINED_ON) for n in SIZES}
    show("1. From n audited items", fresh, line.oracle(ESCAPE, OVERKILL).automation)
    calibrated = {n: fresh_line(n, repetitions, line.DEFECTIVE) for n in SIZES}
    turn = line.number_at(0.5, line.DEFECT, line.DEFECTIVE)
    show(
        "1b. The same model, calibrated to the line: it leans to defect only above 50 % and cannot reject below",
        calibrated,
        line.oracle(ESCAPE, OVERKILL, turn).automation,
    )
    partial = {n: partial_line(n, repetitions) for n in SIZES}
    show(f"2. From a running partial line, audit rate {AUDIT_RATE:.0%}", partial, line.oracle(ESCAPE, OVERKILL).automation)
    false_alarm, to_demotion = guardrail(repetitions)
    console.print(f"{repetitions} repetitions each, {time.monotonic() - started:.0f} s")
    worst = max(max(figures["escape"], figures["overkill"]) for figures in partial.values())
    print(
        json.dumps(
            {
                "escape_broken": {str(n): round(figures["escape"], 4) for n, figures in fresh.items()},
                "overkill_broken": {str(n): round(figures["overkill"], 4) for n, figures in fresh.items()},
                "automation": {str(n): round(figures["automation"], 4) for n, figures in fresh.items()},
                "partial_broken": round(worst, 4),
                "guardrail_false_alarm": round(false_alarm, 4),
                "audits_to_demotion": to_demotion,
            }
        )
    )


def fresh_line(n: int, repetitions: int, trained_on: float) -> dict[str, float]:
    """Return how often limits break, and what is automated, when n items were all audited."""
    runs = []
    for generator in generators(repetitions, n):
        truth, number = line.items(generator, n)
        said = line.probabilities(number, trained_on)
        turn = line.number_at(0.5, line.DEFECT, trained_on)
        found = certify(truth, said, LIMITS, DELTA)
        runs.append(judge(found, trained_on, naive(truth, number, np.ones(n, dtype=bool), turn)))
    return averages(runs)


def partial_line(n: int, repetitions: int) -> dict[str, float]:
    """Return the same for a partial line that ran until some n items were audited."""
    count = round(n / AUDIT_RATE)
    low, high = (line.number_at(threshold, label) for label, threshold in enumerate(TODAY))
    runs = []
    for generator in generators(repetitions, n + 1):
        truth, number = line.items(generator, count)
        audited = generator.random(count) < AUDIT_RATE
        known = audited | ((number > low) & (number < high))
        said = line.probabilities(number)
        found = certify(truth[audited], said[audited], LIMITS, DELTA, reference=said[~audited])
        turn = line.number_at(0.5, line.DEFECT)
        runs.append(judge(found, line.TRAINED_ON, naive(truth, number, known, turn)))
    return averages(runs)


def naive(truth: Array, number: Array, known: Array, turn: float) -> line.Rates:
    """Return the true rates of the loosest thresholds whose known errors keep both limits, each on its side of `turn`.

    What nobody judged counts as rightly decided.
    """
    order = np.argsort(number)
    truth, number, known = truth[order], number[order], known[order]
    defects = np.cumsum((truth == line.DEFECT) & known)
    low = number[np.flatnonzero((defects <= ESCAPE * np.arange(1, len(truth) + 1)) & (number < turn))]
    # From the top down: every known good item above would have been rejected.
    wrong = np.cumsum(((truth == line.GOOD) & known)[::-1])[::-1]
    good = ((truth == line.GOOD) & known).sum() + (~known & (number < turn)).sum()
    high = number[np.flatnonzero((wrong <= OVERKILL * good) & (number >= turn))]
    return line.rates(low[-1] if len(low) else -np.inf, high[0] if len(high) else np.inf)


def judge(found: Certification, trained_on: float, naively: line.Rates) -> dict[str, float]:
    """Return the true figures of one run."""
    low, high = (line.number_at(threshold, label, trained_on) for label, threshold in enumerate(found.thresholds))
    true = line.rates(low, high)
    needs = [shortage.need for shortage in found.shortages if shortage.form is Form.ESCAPE and shortage.need]
    return {
        "escape": true.escape > ESCAPE,
        "overkill": true.overkill > OVERKILL,
        "automation": true.automation,
        "none": found.thresholds[line.GOOD] is None,
        "need": needs[0] if needs else np.nan,
        "naive_escape": naively.escape > ESCAPE,
        "naive_overkill": naively.overkill > OVERKILL,
        "naive_automation": naively.automation,
    }


def guardrail(streams: int) -> tuple[float, dict[str, float]]:
    """Return the share of false alarms, and the median audits from each change to the demotion."""
    table = Table(title=f"3. Guardrail, limit {ALARM_LIMIT:.1%}, {streams} streams, looked at after each audit")
    for name in ("escape rate", "alarms", "before the change", "median audits to demotion", "90 % of lines by"):
        table.add_column(name, justify="right")
    first = first_alarms(np.full(AUDITS, ALARM_LIMIT), streams, 1)
    false_alarm = float(np.isfinite(first).mean())
    table.add_row(f"at the limit, {AUDITS:,} audits", f"{false_alarm:.3f}", "", "", "")
    medians = {}
    for seed, (name, rate) in enumerate((("1%", 0.01), ("2%", 0.02)), start=2):
        first = first_alarms(np.where(np.arange(AUDITS) < CHANGE_AT, QUIET, rate), streams, seed)
        after = first - CHANGE_AT
        medians[name] = float(np.median(after))
        row = (np.isfinite(first).mean(), (after <= 0).mean())
        late = float(np.quantile(after, 0.9, method="higher"))
        table.add_row(f"{QUIET:.2%} to {rate:.0%}", *(f"{value:.3f}" for value in row), f"{medians[name]:.0f}", f"{late:.0f}")
    console.print(table)
    return false_alarm, medians


def first_alarms(chance: Array, streams: int, seed: int) -> Array:
    """Return the audit at which each stream's alarm comes, infinity where it never does."""
    found = []
    for generator in generators(-(-streams // STREAMS_AT_ONCE), seed):
        evidence = curve(generator.random((STREAMS_AT_ONCE, len(chance))) < chance, ALARM_LIMIT)
        reached = evidence >= threshold()
        found.append(np.where(reached.any(axis=1), reached.argmax(axis=1) + 1.0, np.inf))
    return np.concatenate(found)[:streams]


def generators(count: int, seed: int) -> list[np.random.Generator]:
    """Return independent generators of fixed seeds."""
    return [np.random.default_rng(child) for child in np.random.SeedSequence(seed).spawn(count)]


def averages(runs: list[dict[str, float]]) -> dict[str, float]:
    """Return the mean of each figure; of the audits needed, the median of the runs that lack some."""
    figures = {name: float(np.mean([run[name] for run in runs])) for name in runs[0] if name != "need"}
    needs = [run["need"] for run in runs if np.isfinite(run["need"])]
    return figures | {"need": float(np.median(needs)) if needs else np.nan}


def show(title: str, by_n: dict[int, dict[str, float]], best: float) -> None:
    """Print a table: shares of runs that break a limit, mean automation, and what is said where nothing can be certified."""
    table = Table(title=f"{title}; oracle automation {best:.3f}")
    for name in ("n", "escape broken", "overkill broken", "automation", "nothing passes", "median need", "naive: escape"):
        table.add_column(name, justify="right")
    table.add_column("overkill", justify="right")
    table.add_column("automation", justify="right")
    for n, figures in by_n.items():
        names = ("escape", "overkill", "automation", "none")
        need = "" if np.isnan(figures["need"]) else f"{figures['need']:,.0f}"
        naives = ("naive_escape", "naive_overkill", "naive_automation")
        table.add_row(f"{n:,}", *(f"{figures[name]:.3f}" for name in names), need, *(f"{figures[name]:.3f}" for name in naives))
    console.print(table)


if __name__ == "__main__":
    main()
