"""The demo's camera at work: it posts phones through the public API, like any camera would, and remembers the truth."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta

import httpx
from django.utils import timezone

from gateway.models import Item
from monitoring.demo.phones import Phone, Shift, draw
from monitoring.models import Conveyor, KnownTruth
from policies.models import Line

# A camera that was stopped for a while does not make up for it.
MOST_BEHIND = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class Setting:
    """What the belt carries: phones a second, the share of them with a defect, the share of the normal light."""

    rate: float
    defects: float
    darker: float


class Camera:
    """Posts one phone at a time with a token, as a machine outside does."""

    def __init__(self, url: str, token: str, slug: str) -> None:
        self._client = httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=30)
        self._path = f"/api/v1/lines/{slug}/items"

    def post(self, phone: Phone) -> dict[str, object]:
        """Send the photo and return the answer. Raises httpx.HTTPError where it was not taken."""
        response = self._client.post(
            self._path,
            params={"external_id": phone.serial},
            content=phone.jpeg,
            headers={"Content-Type": "image/jpeg", "Idempotency-Key": f"conveyor-{phone.serial}"},
        )
        response.raise_for_status()
        answer: dict[str, object] = response.json()
        return answer

    def close(self) -> None:
        """Hang up."""
        self._client.close()


def phones_from(seed: int, setting: Callable[[], Setting | None]) -> Iterator[Phone]:
    """Yield phones in the rhythm of the setting, which is asked for again before each; None pauses."""
    due = time.monotonic()
    while True:
        now = setting()
        if now is None or now.rate <= 0:
            time.sleep(0.5)
            due = time.monotonic()
            continue
        yield draw(seed, now.defects, Shift(darker=now.darker))
        seed += 1
        due = max(due + 1 / now.rate, time.monotonic() - MOST_BEHIND.total_seconds())
        time.sleep(max(0.0, due - time.monotonic()))


def remember(item_id: object, phone: Phone) -> None:
    """Keep the truth of a phone that was taken; the same answer twice is kept once."""
    if Item.objects.filter(pk=str(item_id)).exists():
        KnownTruth.objects.get_or_create(item_id=str(item_id), defaults={"truth": phone.truth, "visibility": phone.visibility})


def setting_of(line: Line) -> Setting | None:
    """Return what the manager set the line's conveyor to, None while it is stopped; and show that somebody follows it."""
    conveyor = Conveyor.objects.filter(line=line).first()
    if conveyor is None:
        return None
    now = timezone.now()
    if conveyor.heartbeat_at is None or now - conveyor.heartbeat_at > timedelta(seconds=2):
        Conveyor.objects.filter(line=line).update(heartbeat_at=now)
    return Setting(conveyor.rate, conveyor.defects, conveyor.darker) if conveyor.running else None


def first_seed() -> int:
    """Return a seed that no earlier run has used: milliseconds since 2026, below the number at which serials repeat."""
    return int((time.time() - 1_767_225_600) * 20) % 2**34 + 1_000_000
