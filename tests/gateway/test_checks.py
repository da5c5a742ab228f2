"""Wrong settings are found by the system checks."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.checks import check_settings


@pytest.mark.parametrize(
    ("values", "ids"),
    [
        ({}, []),
        ({"REDIS_URL": "redis://broker:6379/0"}, []),
        ({"REDIS_URL": "http://broker"}, ["gateway.E001"]),
        ({"DURABILITY": "normal"}, []),
        ({"DURABILITY": "perhaps"}, ["gateway.E011"]),
        ({"SQLITE_SYNCHRONOUS": "SOMETIMES"}, ["gateway.E002"]),
        ({"SQLITE_SYNCHRONOUS": "off"}, ["gateway.W001"]),
        ({"ALLOWED_HOSTS": ["sluice.example"]}, ["gateway.W002"]),
        ({"ALLOWED_HOSTS": ["sluice.example"], "SESSION_COOKIE_SECURE": True}, []),
        ({"ALLOWED_HOSTS": ["sluice.example"], "DEBUG": True}, ["gateway.E003"]),
        ({"MAX_WAITING_REQUESTS": 24, "WEB_THREADS": 24}, ["gateway.E004"]),
        ({"LOG_FORMAT": "xml"}, ["gateway.E008"]),
        ({"METRICS_TOKEN": "secret"}, ["gateway.W005"]),
        ({"DATABASE_URL": "mysql://host/name"}, ["gateway.E006"]),
        ({"DATABASE_URL": "postgresql://user:pass@word@[host/name"}, ["gateway.E006"]),
        ({"DATABASE_URL": "postgresql://host"}, ["gateway.E006"]),
        ({"DATABASE_URL": "postgresql://user:word@db.example/sluice"}, ["gateway.W003"]),
        ({"DATABASE_URL": "postgresql://user:word@db.example/sluice?sslmode=disable"}, []),
        ({"DATABASE_URL": "postgresql://localhost/sluice", "WEB_WORKERS": 2}, []),
        ({"DATABASE_URL": "sqlite:////var/lib/sluice.sqlite3", "WEB_WORKERS": 2}, ["gateway.W004"]),
        ({"MEDIA_STORAGE_URL": "s3://photos/line-1"}, []),
        ({"MEDIA_STORAGE_URL": "https://photos.example"}, ["gateway.E007"]),
        ({"MEDIA_STORAGE_URL": "s3:///line-1"}, ["gateway.E007"]),
        ({"MODEL_CONCURRENCY": 24, "WEB_THREADS": 24}, ["gateway.E005"]),
    ],
)
def test_each_wrong_setting_has_an_id_and_a_hint(settings: Any, values: dict[str, object], ids: list[str]) -> None:
    for name, value in values.items():
        setattr(settings, name, value)
    found = check_settings(None)
    assert [message.id for message in found] == ids
    assert all(message.hint for message in found)
