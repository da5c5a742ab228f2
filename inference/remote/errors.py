"""Why a server elsewhere gave no usable answer."""

from __future__ import annotations

from inference.errors import ModelUnavailable


class RemoteFailed(ModelUnavailable):
    """One call failed. The message is the reason.

    `transient`: asking again soon may help and does no harm. `wait`: the seconds that the server asked to wait first.
    `timed_out`: there was no answer within the time that was left.
    """

    def __init__(self, said: str, *, transient: bool = False, wait: float = 0.0, timed_out: bool = False) -> None:
        super().__init__(said)
        self.transient = transient
        self.wait = wait
        self.timed_out = timed_out


class CircuitOpen(ModelUnavailable):
    """The server failed so often that it is left alone for a while; it was not asked."""


class ManifestRefused(ValueError):
    """A description of a remote model cannot work; the message says which part and why."""
