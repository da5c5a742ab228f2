"""A camera at the line: a machine that knows an address and a token, and nothing else."""

from __future__ import annotations

from typing import Any

import httpx

from tests.conftest import photo

# Pixels of a photo that it takes.
SIZE = (320, 240)


class Camera:
    """Posts photos over the wire, and asks what became of them."""

    def __init__(self, site: str, secret: str) -> None:
        self._api = f"{site}/api/v1"
        self._headers = {"Authorization": f"Bearer {secret}"}

    def __call__(self, seed: int = 0, *, data: bytes | None = None) -> dict[str, Any]:
        """Post a photo and return the answer: `camera(seed=3)`, or `camera(data=...)`."""
        headers = self._headers | {"Content-Type": "application/octet-stream"}
        answer = httpx.post(f"{self._api}/lines/phones/items", content=data or photo(seed, SIZE), headers=headers, timeout=120)
        assert answer.status_code == 201, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def item(self, name: str) -> dict[str, Any]:
        """Return an item as it stands now."""
        answer = httpx.get(f"{self._api}/items/{name}", headers=self._headers, timeout=120)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found
