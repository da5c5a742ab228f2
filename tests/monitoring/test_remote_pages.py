"""A manager sees that a model runs elsewhere and how its server does, and puts it into service like any other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from gateway import deployments
from inference import weights
from inference.models import ModelVersion
from inference.remote.errors import RemoteFailed
from inference.remote.links import links
from policies.models import Line
from tests.inference.remote.conftest import manifest


def remote(name: str, classes: tuple[str, ...] = ("ok", "scratch", "dent")) -> ModelVersion:
    spec = manifest(classes=classes)
    digest = weights.store({}, spec.as_spec(), {})
    card = {"runs_at": spec.url, "model": spec.model}
    return ModelVersion.objects.create(
        name=name, kind="inspection", runtime="oip", classes=list(classes), weights_digest=digest, card=card
    )


@pytest.fixture
def version(db: None, settings: Any, tmp_path: Any) -> Iterator[ModelVersion]:
    settings.VAR_DIR = tmp_path
    yield remote("remote-phones-1")
    links.close()


def page(manager: Client) -> str:
    return manager.get("/lines/phones/models/remote-phones-1/").text


def fail(version: ModelVersion, times: int) -> None:
    link = links.of(version.weights_digest, manifest())

    def ask() -> None:
        raise RemoteFailed("The server answers 500: <b>out of memory</b>.")

    for _ in range(times):
        with pytest.raises(RemoteFailed):
            link.call(ask, limit=1.0)


def test_it_is_offered_to_the_lines_that_it_fits(busy: Line, manager: Client, version: ModelVersion) -> None:
    remote("remote-tiles-1", classes=("ok", "hole"))
    found = manager.get("/lines/phones/models/").text
    assert "remote-phones-1" in found
    assert "remote-tiles-1" not in found


def test_it_is_put_into_service_like_any_other(busy: Line, manager: Client, version: ModelVersion) -> None:
    assert manager.post("/lines/phones/models/remote-phones-1/challenger/").status_code == 302
    assert deployments.challenger(busy) == version
    assert "On other servers" not in manager.get("/lines/phones/models/").text


def test_its_page_says_where_it_runs(busy: Line, manager: Client, version: ModelVersion) -> None:
    found = page(manager)
    assert "Runs elsewhere" in found
    assert "http://127.0.0.1:1" in found
    assert "Not asked yet" in found
    assert "Runs elsewhere" not in manager.get("/lines/phones/models/inspection-test-1/").text


@pytest.mark.parametrize(("failures", "words"), [(1, "In touch"), (3, "Left alone after failures")])
def test_its_page_says_how_the_server_does(
    busy: Line, manager: Client, version: ModelVersion, failures: int, words: str
) -> None:
    fail(version, failures)
    found = page(manager)
    assert words in found
    assert f"{failures} times, {failures} without an answer" in found
    # A server's words are text.
    assert "&lt;b&gt;out of memory" in found
