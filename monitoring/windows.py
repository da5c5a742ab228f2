"""The spans of time that the control room looks back over. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta


@dataclass(frozen=True, slots=True)
class Window:
    """A span that ends now, and the buckets of its trend."""

    key: str
    title: str
    span: timedelta
    bucket: timedelta
    bucket_title: str

    def start(self, now: datetime) -> datetime:
        """Return the moment from which items count."""
        return now - self.span

    def edges(self, now: datetime) -> tuple[datetime, ...]:
        """Return the edges of the trend's buckets, oldest first: whole buckets, the last one still running."""
        step = self.bucket.total_seconds()
        end = datetime.fromtimestamp((now.timestamp() // step + 1) * step, tz=UTC)
        count = round(self.span / self.bucket)
        return tuple(end - self.bucket * (count - position) for position in range(count + 1))


WINDOWS = (
    Window("24h", "24 hours", timedelta(hours=24), timedelta(hours=1), "hour"),
    Window("7d", "7 days", timedelta(days=7), timedelta(hours=6), "6 hours"),
    Window("14d", "14 days", timedelta(days=14), timedelta(days=1), "day"),
)


def window_of(key: str) -> Window:
    """Return the window of that key; the shortest for one that is not known, as addresses outlive their choices."""
    return next((window for window in WINDOWS if window.key == key), WINDOWS[0])
