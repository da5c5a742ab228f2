"""How many more audits a limit takes that cannot be certified yet. Pure. An estimate, and shown as one."""

from __future__ import annotations

from math import ceil

import numpy as np

from policies.certify.binomial import expected_n
from policies.certify.scored import Ints, Scored, passing
from policies.certify.words import Form, Limit, Shortage

# Shares of a class's surest items at which an escape limit is tried: the strict ones need more audits, the loose ones err more.
SHARES = np.linspace(0.05, 1.0, 20)


def of(limit: Limit, items: Scored, truths: Ints, n: Ints, k: Ints, level: float) -> Shortage:
    """Return the shortage of a limit whose sequence did not pass its first step; `n` and `k` are the counts at its steps.

    The audits needed are those with which the test passes in half of all cases, if errors go on at the rate seen and the
    counted items at their share of the audited ones; for an escape limit at whichever share of the surest needs the fewest.
    """
    if limit.form is Form.ESCAPE:
        n, k = _surest(limit, items, truths)
    else:
        # The start of the path: where the other classes are hardly decided alone.
        n, k = n[:1], k[:1]
    needs = [_scaled(limit.epsilon, int(n_), int(k_), len(items), level) for n_, k_ in zip(n, k, strict=True) if n_]
    found = [need for need in needs if need is not None]
    need = max(min(found), len(items) + 1) if found else None
    return Shortage(limit.label, limit.form, limit.epsilon, len(items), need)


def _surest(limit: Limit, items: Scored, truths: Ints) -> tuple[Ints, Ints]:
    mine = items.said == limit.label
    scores = items.score[mine]
    if not len(scores):
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    thresholds = np.quantile(scores, 1 - SHARES, method="higher")
    return passing(scores, thresholds), passing(items.score[mine & (truths != limit.label)], thresholds)


def _scaled(epsilon: float, n: int, k: int, audited: int, level: float) -> int | None:
    counted = expected_n(epsilon, k / n, level)
    return None if counted is None else ceil(counted * audited / n)
