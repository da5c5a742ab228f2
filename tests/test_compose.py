"""compose.yaml and the Dockerfile name commands, settings and files that exist; there is no container here to ask."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from django.core.management import get_commands, load_command_class

from tests.test_imports import ROOT

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if service.get("image") == "sluice"}
DOCKERFILE = (ROOT / "Dockerfile").read_text()
# What every AWS client reads by itself, and what Python does.
READ_ELSEWHERE = {
    "AWS_ENDPOINT_URL_S3",
    "AWS_DEFAULT_REGION",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "PYTHONUNBUFFERED",
    "PYTHONDONTWRITEBYTECODE",
}


def read_by_settings() -> set[str]:
    return set(re.findall(r'env_\w+\("(\w+)"', (ROOT / "gateway" / "settings.py").read_text()))


def manage(text: str) -> Iterator[list[str]]:
    """Yield the words after each `manage.py` in a text."""
    for call in re.findall(r"manage\.py ([^&|\"\n\\\\]*)", text):
        yield call.split()


@pytest.mark.parametrize("name", sorted(OURS))
def test_every_variable_is_one_that_is_read(name: str) -> None:
    assert set(OURS[name]["environment"]) <= read_by_settings() | READ_ELSEWHERE


def test_the_image_sets_variables_that_are_read() -> None:
    named = {word for line in re.findall(r"^ENV (.*)$", DOCKERFILE, re.M) for word in re.findall(r"(\w+)=", line)}
    assert named <= read_by_settings() | READ_ELSEWHERE


def test_every_command_and_its_options_exist() -> None:
    calls = [words for text in [DOCKERFILE, *(one.get("command", "") for one in OURS.values())] for words in manage(text)]
    assert {words[0] for words in calls} >= {"serve", "migrate", "collectstatic"}
    for name, *options in calls:
        command = load_command_class(get_commands()[name], name)
        command.create_parser("manage.py", name).parse_args(options)


def test_the_parts_that_serve_runs_are_all_there_and_one_clock() -> None:
    parts = [words[2] for one in OURS.values() for words in manage(one["command"]) if words[0] == "serve"]
    assert sorted(parts) == ["beat", "web", "worker"]
    assert "deploy" not in SERVICES["beat"]


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_what_a_service_waits_for_can_come_to_pass(name: str) -> None:
    for other, when in SERVICES[name].get("depends_on", {}).items():
        condition = when["condition"]
        assert other in SERVICES
        assert condition in {"service_healthy", "service_completed_successfully"}
        assert ("healthcheck" in SERVICES[other]) == (condition == "service_healthy")


def test_volumes_are_declared_and_used() -> None:
    used = {volume.partition(":")[0] for one in SERVICES.values() for volume in one.get("volumes", ())}
    assert used == set(COMPOSE["volumes"])


def test_what_is_asked_of_the_operator_is_in_the_example() -> None:
    asked = set(re.findall(r"(?<!\$)\$\{(\w+)", (ROOT / "compose.yaml").read_text()))
    assert asked == set(re.findall(r"^(\w+)=", (ROOT / ".env.example").read_text(), re.M))


def test_the_image_runs_as_nobody_in_particular_and_copies_what_is_there() -> None:
    assert re.search(r"^USER sluice$", DOCKERFILE, re.M)
    copied = [name for line in re.findall(r"^COPY (.*) \S+$", DOCKERFILE, re.M) for name in line.split()]
    assert all((ROOT / name).exists() for name in copied)
