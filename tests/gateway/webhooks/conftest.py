"""What the tests of webhooks share: a receiver on this machine, which the settings allow, and an endpoint for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest

from gateway.webhooks.endpoints import create_endpoint
from gateway.webhooks.models import Endpoint
from gateway.webhooks.types import TYPES
from policies.models import Line
from tests.gateway.webhooks.receiver import Receiver, receiving


@pytest.fixture
def at_home(settings: Any) -> None:
    """Let messages go to this machine, without TLS."""
    settings.WEBHOOK_ALLOWED_NETWORKS = ["127.0.0.0/8"]
    settings.WEBHOOK_ALLOW_HTTP = True


@pytest.fixture
def receiver(at_home: None) -> Iterator[Receiver]:
    """Another system."""
    with receiving() as one:
        yield one


@pytest.fixture
def endpoint_of(db: None, at_home: None, now: datetime) -> Callable[..., Endpoint]:
    """Make an endpoint: `endpoint_of("sorter", types=["item.decided"])`."""

    def make(name: str = "sorter", url: str = "http://127.0.0.1:9999/hook", line: Line | None = None, **more: Any) -> Endpoint:
        return create_endpoint(name, url, types=more.get("types", list(TYPES)), line=line, by=None, now=now)

    return make
