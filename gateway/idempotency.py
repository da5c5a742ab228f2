"""The same key and body get the first answer again. The record is written with what the request did: both or neither."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError

from gateway.errors import BadField, GatewayError, KeyReused
from gateway.models import ApiToken, IdempotencyRecord


@dataclass(frozen=True, slots=True)
class Answer:
    """A status and a JSON body."""

    status: int
    body: dict[str, Any]


Remember = Callable[[Answer], None]


def once(
    token: ApiToken, key: str, parts: list[str], *, now: datetime, work: Callable[[Remember], Answer]
) -> tuple[Answer, bool]:
    """Return the answer to a request and whether it is a replay.

    `parts` is everything that makes the request what it is. `work` calls `remember(answer)` inside its transaction. Two
    requests with one key at the same time both do the work; the database lets one of them commit, and the other's whole
    transaction is undone and answered with the first's answer. Raises KeyReused where the key came with other parts.
    """
    if not key:
        return work(lambda answer: None), False
    if len(key) > 200 or not key.isprintable():
        raise BadField("An Idempotency-Key is up to 200 printable characters.")
    digest = hashlib.sha256("\n".join(parts).encode()).hexdigest()
    found = _find(token, key, digest)
    if found is not None:
        return found, True

    def remember(answer: Answer) -> None:
        IdempotencyRecord.objects.create(
            token=token, key=key, digest=digest, status=answer.status, answer=answer.body, created_at=now
        )

    try:
        return work(remember), False
    except (IntegrityError, GatewayError):
        # The other one's work may be what stands in this one's way: an external id is taken, an appeal is open.
        found = _find(token, key, digest)
        if found is None:
            raise
        return found, True


def _find(token: ApiToken, key: str, digest: str) -> Answer | None:
    record = IdempotencyRecord.objects.filter(token=token, key=key).first()
    if record is None:
        return None
    if record.digest != digest:
        raise KeyReused(f"The key {key!r} came before with another body. Use a new key for a new request.")
    return Answer(record.status, record.answer)
