"""The road to the broker, as Kombu has it, but for one thing: who comes back to a closed channel is told that it is closed.

When a broker dies while the worker is at a task, the message of that task is given back, or acknowledged once the task is done,
over a channel whose connection is gone. Kombu's own channel then stumbles over a missing attribute, which Celery takes for a
defect of its own: the worker ends, and with it everything that `manage.py serve` runs. An error of the connection is what it
knows how to live with. What was not acknowledged comes again; every task can run twice.
"""

from __future__ import annotations

from typing import Any

from kombu.transport import TRANSPORT_ALIASES, redis
from redis.exceptions import ConnectionError as ConnectionGone


class Channel(redis.Channel):
    """A channel that says so when its connection is gone."""

    def _connparams(self, asynchronous: bool = False) -> dict[str, Any]:
        if getattr(self.connection, "client", None) is None:
            raise ConnectionGone("The connection of this channel is closed.")
        return dict(super()._connparams(asynchronous=asynchronous))  # type: ignore[misc]


class Transport(redis.Transport):
    """Kombu's transport with channels of ours."""

    Channel = Channel


def install() -> None:
    """Have every connection to a Redis go this way, whatever its address begins with."""
    for name in ("redis", "rediss"):
        TRANSPORT_ALIASES[name] = f"{__name__}:Transport"
