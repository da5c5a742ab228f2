"""The dashboard and the alert rules in docs/ name metrics and labels that exist."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import REGISTRY

from gateway import metrics  # noqa: F401 (registers what it defines)
from inference import figures  # noqa: F401
from monitoring import operating, pulse

DOCS = Path(__file__).resolve().parents[2] / "docs"
FOLDER = DOCS / "monitoring"
NAME = re.compile(r"\bsluice_[a-z_]+")
# Given by Prometheus itself, or by the kind of metric.
LABELS_OF_ALL = {"le", "job", "instance"}


def expressions() -> Iterator[str]:
    for panel in json.loads((FOLDER / "grafana.json").read_text())["panels"]:
        yield from (target["expr"] for target in panel["targets"])
    for group in yaml.safe_load((FOLDER / "alerts.yml").read_text())["groups"]:
        yield from (rule["expr"] for rule in group["rules"])


def of_the_process() -> dict[str, set[str]]:
    """Return every series of ours with its labels."""
    found: dict[str, set[str]] = {}
    for collector, names in REGISTRY._collector_to_names.items():
        labels = set(getattr(collector, "_labelnames", ()))
        found |= {name: labels for name in names if name.startswith("sluice_")}
    return found


@pytest.fixture
def known(db: None, settings: Any, tmp_path: Path) -> dict[str, set[str]]:
    settings.CELERY_BROKER_URL = f"redis+socket://{tmp_path / 'nobody'}"
    reads = (operating.queues, operating.work, operating.dials, operating.guardrails, pulse.gauges)
    gauges = {family.name: set(family._labelnames) for read in reads for family in read()}
    return of_the_process() | gauges


def test_every_metric_and_label_exists(known: dict[str, set[str]]) -> None:
    asked = list(expressions())
    assert len(asked) > 20
    for expression in asked:
        names = NAME.findall(expression)
        assert set(names) <= set(known), expression
        labels = {label for name in names for label in known[name]} | LABELS_OF_ALL
        used = set(re.findall(r"(\w+)=~?\"|(\w+)!=\"", expression)) | {(label, "") for label in _grouped(expression)}
        assert {left or right for left, right in used} <= labels, expression


def test_every_metric_is_shown_or_watched(known: dict[str, set[str]]) -> None:
    """One that nobody looks at should go."""
    shown = {name for expression in expressions() for name in NAME.findall(expression)}
    bases = {re.sub(r"_(bucket|count|sum|total|created)$", "", name) for name in shown}
    ours = {re.sub(r"_(bucket|count|sum|total|created)$", "", name) for name in known}
    assert ours - bases == {"sluice_photo_bytes"}


def test_the_documents_tell_every_metric(known: dict[str, set[str]]) -> None:
    text = (DOCS / "operations.md").read_text()
    bases = {re.sub(r"_(bucket|count|sum|created)$", "", name) for name in known}
    missing = {name for name in bases if name not in text and f"{name}_total" not in text}
    assert missing == set()


def _grouped(expression: str) -> list[str]:
    return [label.strip() for group in re.findall(r"by \(([^)]*)\)", expression) for label in group.split(",")]
