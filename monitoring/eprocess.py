"""An anytime-valid watch over audited errors: evidence that the error rate is above its limit, whenever anyone looks. Pure.

A stream is the audited items that one limit counts, in order, each wrong (1) or right (0). For one alternative, odds of an
error m times those at the limit a, each outcome x multiplies the evidence by the likelihood ratio m^x / (1 + a (m - 1)),
whose mean is at most 1 while the chance of an error, given everything before, is at most a. So a bet that starts at any audit
is a non-negative supermartingale, and so is a mixture of bets whose weights add up to 1: equal weights over the alternatives
MULTIPLES, and over the audit s = 0, 1, 2, ... after which the bet starts the weight t / ((t + s)(t + s + 1)) with t = 10 / a;
what has not started yet counts as cash. By Ville's inequality (1939) the mixture ever reaches 1 / alpha with a chance of at
most alpha: looking after each audit costs nothing, and audits need not be independent. It is the e-process of Wald's
sequential test (1945) with a mixture over alternatives (Robbins 1970) and over the moment of the change (Shiryaev 1963; as
e-detectors Shin, Ramdas and Rinaldo 2023).

Starts at every audit cost no list: all bets of one alternative share their next factor, so their sum V follows
V <- V x factor + weight of the next start. A state is one number an alternative, whatever the length of the stream.

A watch over several classes at once splits alpha equally (Bonferroni): `alarm(state, alpha, streams=K)`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import log
from typing import TypedDict

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
# The odds of an error against those at the limit. One and a half times is found nearly as soon without a bet of its own.
MULTIPLES = (2.0, 3.0, 4.0, 5.0, 6.0, 10.0)
# Half of the weight is on bets that start before this many errors' worth of audits at the limit.
ERRORS_TO_HALF = 10
ALPHA = 0.05


class State(TypedDict):
    """What is kept of a stream, as JSON: nothing else is needed to go on."""

    limit: float
    audits: int
    errors: int
    # Logarithm of the bets that have started, one an alternative, with the one that starts now.
    log_bets: list[float]
    # Logarithm of the evidence now, and the most that it ever was.
    log_e: float
    log_peak: float


def begin(limit: float) -> State:
    """Return the state before the first audit. Raises ValueError where the limit is not between 0 and 1."""
    if not 0 < limit < 1:
        raise ValueError(f"A limit is between 0 and 1, not {limit}.")
    first = float(_log_weights(limit, np.zeros(1))[0])
    return State(limit=limit, audits=0, errors=0, log_bets=[first] * len(MULTIPLES), log_e=0.0, log_peak=0.0)


def update(state: State, outcomes: ArrayLike) -> State:
    """Return the state after further outcomes (1 wrong, 0 right), each looked at; it takes a pass over them and no more."""
    seen = np.asarray(outcomes, dtype=np.float64)
    if not seen.size:
        return state
    bets = list(_bets(seen, state["limit"], state["audits"], state["log_bets"]))
    evidence = _evidence(bets, state["limit"], state["audits"])
    return State(
        limit=state["limit"],
        audits=state["audits"] + len(seen),
        errors=state["errors"] + int(seen.sum()),
        log_bets=[float(bet[-1]) for bet in bets],
        log_e=float(evidence[-1]),
        log_peak=max(state["log_peak"], float(evidence.max())),
    )


def curve(outcomes: ArrayLike, limit: float) -> Floats:
    """Return the logarithm of the evidence after each audit, for one stream [audits] or many [streams, audits]."""
    seen = np.asarray(outcomes, dtype=np.float64)
    start = begin(limit)
    return _evidence(_bets(seen, limit, 0, start["log_bets"]), limit, 0)


def alarm(state: State, alpha: float = ALPHA, streams: int = 1) -> bool:
    """Return whether the evidence was ever enough. With `streams` watched at once, each gets its equal part of alpha."""
    return state["log_peak"] >= threshold(alpha, streams)


def threshold(alpha: float = ALPHA, streams: int = 1) -> float:
    """Return the logarithm of the evidence at which to act."""
    return log(streams / alpha)


def _bets(outcomes: Floats, limit: float, audits: int, log_bets: Sequence[float]) -> Iterator[Floats]:
    """Yield, for each alternative, the logarithm of its started bets after each outcome, of the shape of `outcomes`."""
    starts = _log_weights(limit, np.arange(outcomes.shape[-1], dtype=np.float64) + (audits + 1))
    for multiple, begun in zip(MULTIPLES, log_bets, strict=True):
        gained = np.cumsum(outcomes * log(multiple) - np.log1p(limit * (multiple - 1)), axis=-1)
        # In units of what one started at the beginning has become, all sums are plain running sums.
        terms = np.concatenate([np.full((*outcomes.shape[:-1], 1), begun), starts - gained], axis=-1)
        yield np.logaddexp.accumulate(terms, axis=-1)[..., 1:] + gained


def _evidence(bets: Iterator[Floats] | Sequence[Floats], limit: float, audits: int) -> Floats:
    """Return the logarithm of the mean over alternatives plus the cash that no bet has taken yet."""
    found: Floats | None = None
    for bet in bets:
        found = bet.copy() if found is None else np.logaddexp(found, bet)
    if found is None:
        raise ValueError("There is no alternative to bet on.")
    cash = _log_cash(limit, np.arange(found.shape[-1], dtype=np.float64) + (audits + 2))
    evidence: Floats = np.logaddexp(found - log(len(MULTIPLES)), cash)
    return evidence


def _log_weights(limit: float, start: Floats) -> Floats:
    half = ERRORS_TO_HALF / limit
    weights: Floats = np.log(half) - np.log(half + start) - np.log(half + start + 1)
    return weights


def _log_cash(limit: float, start: Floats) -> Floats:
    """Return the logarithm of the weight of all bets that start at `start` audits or later."""
    half = ERRORS_TO_HALF / limit
    cash: Floats = np.log(half) - np.log(half + start)
    return cash
