"""What an audit rate buys, against simulation."""

from __future__ import annotations

import numpy as np
import pytest

from monitoring.eprocess import curve, threshold
from monitoring.planner import Expected, Target, audits_to_alarm, plan


@pytest.mark.parametrize(("limit", "rate"), [(0.02, 0.04), (0.02, 0.08), (0.05, 0.1)])
def test_audits_to_an_alarm_are_the_simulated_median(limit: float, rate: float) -> None:
    quiet, ahead = round(10 / limit), round(60 / limit)
    chance = np.where(np.arange(quiet + ahead) < quiet, limit / 2, rate)
    reached = curve(np.random.default_rng(1).random((300, len(chance))) < chance, limit) >= threshold()
    simulated = np.median(np.where(reached.any(axis=1), reached.argmax(axis=1) + 1 - quiet, ahead))
    assert audits_to_alarm(limit, rate, quiet_rate=limit / 2) == pytest.approx(simulated, rel=0.25)


def test_what_is_allowed_is_no_alarm() -> None:
    assert audits_to_alarm(0.02, 0.02) is None
    assert audits_to_alarm(0.02, 0.0201) is None
    assert audits_to_alarm(0.02, 1.0) is not None


def test_twice_the_audits_are_half_the_days() -> None:
    slow, fast = plan(Target(0.02), Expected(volume_per_day=1000, error_rate=0.005, share=0.8), [0.05, 0.1])
    assert (slow.audits_per_day, fast.audits_per_day) == (50, 100)
    for name in ("days_to_certificate", "days_to_notice"):
        assert getattr(slow, name) == pytest.approx(2 * getattr(fast, name))
    assert slow.audits_to_certificate == fast.audits_to_certificate


def test_days_to_a_certificate_worked_out_by_hand() -> None:
    # Without errors 598 items certify .5 % at 5 %; of 10,000 items a day 500 are audited and 400 of those passed.
    (found,) = plan(Target(0.005), Expected(volume_per_day=10_000, error_rate=0.0, share=0.8), [0.05])
    assert found.days_to_certificate == pytest.approx(598 / 400)


def test_what_never_comes_is_none() -> None:
    (too_bad,) = plan(Target(0.005), Expected(1000, 0.006, 0.8), [0.1])
    assert (too_bad.audits_to_certificate, too_bad.days_to_certificate) == (None, None)
    (no_audits,) = plan(Target(0.005), Expected(1000, 0.001, 0.8), [0.0])
    assert (no_audits.days_to_certificate, no_audits.days_to_notice) == (None, None)
    with pytest.raises(ValueError, match="share"):
        plan(Target(0.005), Expected(1000, 0.001, 0.0), [0.1])
