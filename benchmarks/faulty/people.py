"""Cameras that try until they are told, inspectors who judge what they are given, and clients who hang up."""

from __future__ import annotations

import io
import socket
import threading
from collections.abc import Callable
from urllib.parse import urlsplit

import httpx
import numpy as np
from faulty.ledger import Ledger
from PIL import Image

PAUSE = 0.05
CSRF = "csrftoken"


def photo(number: int) -> bytes:
    """Return a small JPEG of its own, light, dark or in between."""
    rng = np.random.default_rng(number)
    picture = rng.normal(rng.choice([70.0, 128.0, 190.0]), 20, (48, 64, 3)).clip(0, 255).astype(np.uint8)
    sheet = io.BytesIO()
    Image.fromarray(picture).save(sheet, "JPEG", quality=90)
    return sheet.getvalue()


class Crowd:
    """Threads that go on until they are told to go home."""

    def __init__(self, url: str, secret: str, ledger: Ledger, line: str) -> None:
        self.url, self._secret, self._ledger, self._line = url, secret, ledger, line
        self._home, self._closed = threading.Event(), threading.Event()
        self._threads: list[threading.Thread] = []

    def begin(self, cameras: int, inspectors: dict[str, str]) -> None:
        """Send them to work."""
        for number in range(cameras):
            self._go(lambda number=number: self._camera(number))
        for name, session in inspectors.items():
            self._go(lambda name=name, session=session: self._inspector(name, session))

    def close_the_door(self) -> None:
        """No more photos; the inspectors go on with what waits."""
        self._closed.set()

    def go_home(self) -> None:
        """End it all, each after what it is at."""
        self._closed.set()
        self._home.set()
        for thread in self._threads:
            thread.join(60)

    def _go(self, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        self._threads.append(thread)

    def _camera(self, number: int) -> None:
        count = 0
        while not self._closed.wait(PAUSE):
            count += 1
            key = f"{number}-{count}"
            self._ledger.sent.add(key)
            self._post_until_told(key, photo(number * 1_000_000 + count))

    def _post_until_told(self, key: str, data: bytes) -> None:
        headers = {"Authorization": f"Bearer {self._secret}", "Content-Type": "image/jpeg", "Idempotency-Key": key}
        address = f"{self.url}/api/v1/lines/{self._line}/items?external_id={key}"
        while not self._home.is_set():
            try:
                # A camera that is told nothing for this long tries again.
                answer = httpx.post(address, content=data, headers=headers, timeout=30)
            except httpx.HTTPError:
                self._home.wait(PAUSE)
                continue
            if answer.status_code == 201:
                self._ledger.item(key, answer.json()["id"])
                return
            if answer.status_code < 500 and answer.status_code != 429:
                self._ledger.strange.append(f"{key}: {answer.status_code} {answer.text[:200]}")
                return
            self._home.wait(PAUSE)

    def _inspector(self, name: str, session: str) -> None:
        client = httpx.Client(base_url=self.url, cookies={"sessionid": session}, timeout=30)
        count = 0
        while not self._home.is_set():
            cards = self._said(client, f"/lines/{self._line}/console/next", {"want": 1}, "")
            for card in (cards or {}).get("cards", []):
                count += 1
                answer = "ok" if count % 3 else "dent"
                told = self._said(
                    client, f"/console/claims/{card['claim']}/judge", {"answer": answer}, f"{name}-{card['claim']}"
                )
                if told is not None:
                    self._ledger.judgement(told["judgement"], answer)
            self._home.wait(PAUSE)

    def _said(self, client: httpx.Client, path: str, body: dict[str, object], key: str) -> dict[str, object] | None:
        """Post until somebody answers; None where the answer is no."""
        while not self._home.is_set():
            try:
                if CSRF not in client.cookies:
                    client.get(f"/lines/{self._line}/console/")
                headers = {"X-CSRFToken": client.cookies.get(CSRF, ""), "Idempotency-Key": key}
                answer = client.post(path, json=body, headers={name: value for name, value in headers.items() if value})
            except httpx.HTTPError:
                self._home.wait(PAUSE)
                continue
            if answer.status_code < 500:
                return dict(answer.json()) if answer.status_code == 200 else None
            self._home.wait(PAUSE)
        return None


def hang_up(url: str, secret: str, line: str, number: int) -> None:
    """Send one photo as a client that goes away: in the middle of the body, or before the answer."""
    place = urlsplit(url)
    data = photo(number)
    head = (
        f"POST /api/v1/lines/{line}/items?external_id=hung-{number} HTTP/1.1\r\nHost: {place.netloc}\r\n"
        f"Authorization: Bearer {secret}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(data)}\r\n\r\n"
    )
    with socket.create_connection((place.hostname or "", place.port or 80), timeout=5) as connection:
        connection.sendall(head.encode() + (data[: len(data) // 2] if number % 2 else data))
