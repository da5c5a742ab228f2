"""An inspector's browser, as far as the server sees it: JSON out, JSON in."""

from __future__ import annotations

import json
from itertools import count
from typing import Any

from django.test import Client

_keys = count(1)


def send(client: Client, url: str, body: Any = None, *, key: str = "", **headers: str) -> Any:
    """Post JSON like the console does and return the response."""
    data = body if isinstance(body, bytes) else json.dumps({} if body is None else body)
    headers |= {"Idempotency-Key": key or f"browser-{next(_keys)}"}
    return client.post(url, data, content_type="application/json", headers=headers)


def cards(client: Client, slug: str = "phones", want: int = 1, **more: Any) -> list[dict[str, Any]]:
    """Ask for the next cards, as the console does."""
    response = send(client, f"/lines/{slug}/console/next", {"want": want, **more})
    assert response.status_code == 200, response.content
    found: list[dict[str, Any]] = response.json()["cards"]
    return found


def answer(client: Client, card: dict[str, Any], key: str = "ok", **more: Any) -> Any:
    """Answer a card."""
    return send(client, f"/console/claims/{card['claim']}/judge", {"answer": key, **more})
