"""How many more audits a limit takes that cannot be certified yet. Pure. An estimate, and shown as one."""

from __future__ import annotations

from math import ceil

import numpy as np

from policies.certify.binomial import expected_n, p_value
from policies.certify.scored import Ints, Scored, start_counts, starts_of
from policies.certify.words import Form, Limit, Shortage

# Looked ahead: this many times the audits that there are.
FURTHEST = 1000
# Where only the surest items could do, at least so many of them have to be there to tell how often they are wrong.
LEAST_SUREST = 50


def of(limit: Limit, items: Scored, truths: Ints, first: tuple[int, int], levels: tuple[float, float]) -> Shortage:
    """Return the shortage of a limit whose sequence did not pass its first step, where (n, k) = `first` were counted.

    `levels` are the one that the start was chosen for and the one of the test, which another sequence may have added to.

    The audits needed are those with which the first step passes in about half of all cases, if errors go on at the rate seen
    and the counted items at their share of the audited ones. The bound then narrows, and automation grows, with each further
    audit.
    """
    if limit.form is Form.ESCAPE:
        need = _escape(limit, items, truths, *levels)
    else:
        need = _overkill(limit, len(items), *first, levels[1])
    return Shortage(limit.label, limit.form, limit.epsilon, len(items), None if need is None else max(need, len(items) + 1))


def _escape(limit: Limit, items: Scored, truths: Ints, start_level: float, level: float) -> int | None:
    """Return the audits with which the first step would pass: the more there are, the surer the items that it starts from."""
    mine = items.said == limit.label
    candidates = int(mine.sum())
    if not candidates:
        return None
    surest_first = np.argsort(-items.score[mine], kind="stable")
    wrong = np.cumsum((truths[mine] != limit.label)[surest_first])
    starts = starts_of(limit.epsilon, start_level)
    factors = np.concatenate([np.geomspace(1.001, FURTHEST, 700), starts / candidates, 2 * starts / candidates])
    factors = np.unique(factors[factors > 1])
    counts = start_counts(factors * candidates, limit.epsilon, start_level)
    ranks = np.clip(np.ceil(counts / factors - 1e-9), 1, candidates).astype(np.int64)
    errors = np.round(wrong[ranks - 1] * counts / ranks)
    passing = (counts > 0) & (ranks >= min(LEAST_SUREST, candidates)) & (p_value(errors, counts, limit.epsilon) <= level)
    return ceil(len(items) * factors[passing][0] - 1e-6) if passing.any() else None


def _overkill(limit: Limit, audited: int, n: int, k: int, level: float) -> int | None:
    """Return the audits that bring enough items of the class; at the path's start hardly any is decided as something else."""
    counted = expected_n(limit.epsilon, k / n, level) if n else None
    return None if counted is None else ceil(counted * audited / n)
