"""A server that speaks the protocol, and the description of the model it serves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from inference.remote.links import links
from inference.remote.manifest import Manifest
from tests.inference.remote.server import Served, Server

CLASSES = ("ok", "scratch", "dent")


@pytest.fixture
def server() -> Iterator[Server]:
    """A healthy server."""
    running = Server(Served())
    yield running
    running.stop()


@pytest.fixture
def served(server: Server) -> Served:
    """What it has, and what it was asked."""
    return server.served


@pytest.fixture
def described(server: Server) -> Callable[..., Manifest]:
    """Return a manifest of the server's model."""
    return lambda **values: manifest(url=server.url, **values)


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    """No test inherits a breaker, nor a connection."""
    yield
    links.close()


def manifest(**values: Any) -> Manifest:
    """Return a manifest that is complete."""
    whole = {"url": "http://127.0.0.1:1", "model": "phones", "input_name": "x", "output_name": "p", "classes": CLASSES}
    return Manifest(**whole | values)
