"""How much of delta a certification may use when it is tried again as audits come in. Pure.

A certificate's confidence is that of one look at data whose amount was settled beforehand. Whoever looks every day and takes
what passes first breaks limits far more often than delta. So each look at one model version, whether it passed or not, gets
its own part, and all certificates ever given for the version hold together with confidence 1 - delta. Fewer looks cost less:
look again when the audits have grown by half, not each day.
"""

from __future__ import annotations

# A further look is worth its part of delta when there are this many times the audits of the last one.
WORTH_A_LOOK = 1.5


def part_of_delta(delta: float, look: int) -> float:
    """Return delta / (look (look + 1)) for look 1, 2, ...; over all looks the parts add up to delta (Bonferroni).

    Raises ValueError where `look` is below 1.
    """
    if look < 1:
        raise ValueError(f"Looks are counted from 1, not {look}.")
    return delta / (look * (look + 1))
