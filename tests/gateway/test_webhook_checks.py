"""Wrong settings of webhooks are found by `manage.py check`."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.checks import check_settings


@pytest.mark.parametrize(
    ("values", "ids"),
    [
        ({}, []),
        ({"WEBHOOK_ALLOWED_NETWORKS": ["10.20.0.0/16", "fd00::/8", "192.168.1.7"]}, []),
        ({"WEBHOOK_ALLOWED_NETWORKS": ["10.20.0.1/16"]}, ["gateway.E020"]),
        ({"WEBHOOK_ALLOWED_NETWORKS": ["intranet"]}, ["gateway.E020"]),
        ({"PUBLIC_URL": "https://sluice.example"}, []),
        ({"PUBLIC_URL": "sluice.example"}, ["gateway.E021"]),
        ({"WEBHOOK_CA_FILE": "/nowhere.pem"}, ["gateway.E022"]),
        ({"WEBHOOK_ALLOW_HTTP": True}, ["gateway.W020"]),
        ({"WEBHOOK_ALLOW_HTTP": True, "DEBUG": True}, []),
    ],
)
def test_what_is_said(settings: Any, values: dict[str, Any], ids: list[str]) -> None:
    for name, value in values.items():
        setattr(settings, name, value)
    assert [message.id for message in check_settings(None) if message.id in {f"gateway.{one}" for one in
            ("E020", "E021", "E022", "W020")}] == ids  # fmt: skip
