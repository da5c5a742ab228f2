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
    check_key(key)
    digest = digest_of(parts)
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


def digest_of(parts: list[str]) -> str:
    """Return what tells a request, or a part of one, from others."""
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def check_key(key: str) -> None:
    """Raise BadField for a key that cannot be kept."""
    if len(key) > 200 or not key.isprintable():
        raise BadField("An Idempotency-Key is up to 200 printable characters.")


def part_key(key: str, index: int) -> str:
    """Return the key of one part of a request that is answered part by part. No caller can send it: it is not printable."""
    return f"{hashlib.sha256(key.encode()).hexdigest()}\x1f{index}"


def recall(token: ApiToken, digests: dict[str, str]) -> dict[str, Answer | KeyReused]:
    """Return what is remembered under these keys, given with the digests of their parts; KeyReused where those differ."""
    found: dict[str, Answer | KeyReused] = {}
    for record in IdempotencyRecord.objects.filter(token=token, key__in=digests):
        same = record.digest == digests[record.key]
        found[record.key] = Answer(record.status, record.answer) if same else _reused()
    return found


def remember_all(token: ApiToken, answers: list[tuple[str, str, Answer]], *, now: datetime) -> None:
    """Keep answers with their keys and digests, inside the transaction of what they tell."""
    IdempotencyRecord.objects.bulk_create(
        IdempotencyRecord(token=token, key=key, digest=digest, status=answer.status, answer=answer.body, created_at=now)
        for key, digest, answer in answers
    )


def _reused() -> KeyReused:
    return KeyReused("The key came before with something else in this place. Use a new key for a new request.")


def _find(token: ApiToken, key: str, digest: str) -> Answer | None:
    record = IdempotencyRecord.objects.filter(token=token, key=key).first()
    if record is None:
        return None
    if record.digest != digest:
        raise KeyReused(f"The key {key!r} came before with another body. Use a new key for a new request.")
    return Answer(record.status, record.answer)
