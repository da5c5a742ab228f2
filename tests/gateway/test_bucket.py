"""Photos and weights in an S3-compatible bucket: a real server speaks the protocol, on a port of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import numpy as np
import pytest
from django.core.files.storage import storages
from django.test import Client

from gateway import health, leaving, media
from gateway.environment import buckets
from gateway.health import Broker
from gateway.models import Item
from inference import weights
from policies.models import Line
from tests.conftest import photo
from tests.gateway.s3 import s3_server


@pytest.fixture(scope="module")
def server() -> Iterator[dict[str, str]]:
    """An S3-compatible server."""
    with s3_server() as environment:
        yield environment


@pytest.fixture
def bucket(server: dict[str, str], settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """An empty bucket that the settings name as an operator would."""
    for name, value in server.items():
        monkeypatch.setenv(name, value)
    settings.VAR_DIR = tmp_path
    settings.MEDIA_STORAGE_URL = "s3://sluice-photos/line-1"
    settings.STORAGES = settings.STORAGES | buckets(settings.MEDIA_STORAGE_URL)
    client = boto3.client("s3")
    client.create_bucket(Bucket="sluice-photos")
    yield client
    for name in names(client):
        client.delete_object(Bucket="sluice-photos", Key=name)


def names(client: Any) -> list[str]:
    """Return the name of everything in the bucket."""
    return [one["Key"] for one in client.list_objects_v2(Bucket="sluice-photos").get("Contents", ())]


def test_a_photo_is_kept_under_its_content_and_nowhere_else(bucket: Any, tmp_path: Path) -> None:
    digest = media.store(b"bytes")
    assert media.store(b"bytes") == digest == media.digest_of(b"bytes")
    assert names(bucket) == [f"line-1/media/{digest[:2]}/{digest}"]
    assert media.load(digest) == b"bytes"
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_what_came_before_there_was_a_bucket_is_still_found(bucket: Any, settings: Any) -> None:
    url, settings.MEDIA_STORAGE_URL = settings.MEDIA_STORAGE_URL, ""
    digest = media.store(b"before")
    settings.MEDIA_STORAGE_URL = url
    assert media.load(digest) == b"before"


def test_what_is_not_kept_is_not_found(bucket: Any) -> None:
    with pytest.raises(FileNotFoundError):
        media.load("0" * 64)


def test_a_post_is_answered_when_the_bucket_has_the_photo(bucket: Any, line: Line, post: Callable[..., Any]) -> None:
    assert media.load(post(3)["photo"]["sha256"]) == photo(3)


def test_a_bucket_that_is_gone_is_a_503_and_no_item(bucket: Any, line: Line, api: Client) -> None:
    bucket.delete_bucket(Bucket="sluice-photos")
    answer = api.post("/api/v1/lines/phones/items", photo(), content_type="image/jpeg")
    assert (answer.status_code, answer.json()["code"], answer["Retry-After"]) == (503, "storage-unavailable", "1")
    assert not Item.objects.exists()
    bucket.create_bucket(Bucket="sluice-photos")


def test_readiness_asks_the_bucket(bucket: Any, db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "broker", Broker(lambda: ""))
    monkeypatch.setattr(health, "bucket", Broker(health._ask_bucket, clock=iter(range(0, 100, 10)).__next__))
    assert Client().get("/readyz").json() == {"status": "ok"}
    bucket.delete_bucket(Bucket="sluice-photos")
    answer = Client().get("/readyz")
    bucket.create_bucket(Bucket="sluice-photos")
    assert (answer.status_code, answer.json()["media"]) == (503, "the bucket cannot be reached")


def test_a_server_that_is_gone_is_a_503(bucket: Any, line: Line, api: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9")
    monkeypatch.setattr(storages["photos"]._connections, "connection", None, raising=False)
    answer = api.post("/api/v1/lines/phones/items", photo(), content_type="image/jpeg")
    assert (answer.status_code, answer.json()["code"]) == (503, "storage-unavailable")


def test_a_photo_leaves_by_being_set_aside_first(bucket: Any) -> None:
    digest, now = media.store(b"bytes"), datetime.now(UTC)
    assert leaving.set_aside(digest, now=now)
    assert names(bucket) == [f"line-1/media/aside/{digest}"]
    assert media.load(digest) == b"bytes"
    assert leaving.finish(lambda asked: set(), now=now) == 0
    assert leaving.finish(lambda asked: set(), now=now + leaving.GRACE + timedelta(seconds=5)) == 1
    assert names(bucket) == []
    assert not leaving.set_aside(digest, now=now)


def test_a_photo_that_is_needed_after_all_comes_back(bucket: Any) -> None:
    digest, now = media.store(b"bytes"), datetime.now(UTC)
    leaving.set_aside(digest, now=now)
    assert leaving.finish(set, now=now + leaving.GRACE + timedelta(seconds=5)) == 0
    assert names(bucket) == [f"line-1/media/{media.name_of(digest)}"]


def test_weights_made_on_one_machine_are_found_on_another(bucket: Any, settings: Any, tmp_path: Path) -> None:
    digest = weights.store({"x": np.zeros(3, np.float32)}, {"classes": ["ok"]}, {"seed": 7})
    settings.VAR_DIR = tmp_path / "another"
    assert weights.load(digest)[1] == {"classes": ["ok"]}
    bucket.delete_object(Bucket="sluice-photos", Key=f"line-1/models/{digest}.safetensors")
    # Fetched once: it has its own now.
    assert weights.load(digest)[1] == {"classes": ["ok"]}
