"""Imports run one way: monitoring reads everyone, policies and inference know nothing of ours. Read from the source."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

# What each app may import of ours. Nobody imports monitoring but itself; the tests are no part of the product.
MAY_IMPORT = {
    "policies": {"policies"},
    "inference": {"inference"},
    "gateway": {"gateway", "policies", "inference"},
    "review": {"review", "gateway", "policies", "inference"},
    "monitoring": {"monitoring", "review", "gateway", "policies", "inference"},
}
OURS = {*MAY_IMPORT, "tests", "benchmarks"}
# What needs PyTorch is imported by who uses it, when it is used: it takes seconds to load and hundreds of megabytes, and a
# gateway that only serves does without. So these may be imported inside a function, and nothing at the top of a file outside.
HEAVY = "torch"
LATE = "inference.vision"
# Frozen history: a migration names its model's default by import, which is Django's business.
FILES = [
    path
    for app in sorted(MAY_IMPORT)
    for path in sorted((ROOT / app).rglob("*.py"))
    if not {"migrations", "__pycache__"} & set(path.parts)
]


def faults(source: str, app: str) -> Iterator[str]:
    """Yield what breaks a rule in one file's source."""
    tree = ast.parse(source)
    inside = {id(node) for scope in ast.walk(tree) if _is_function(scope) for node in ast.walk(scope)}
    for node in ast.walk(tree):
        for name in _imported(node):
            owner = name.partition(".")[0]
            if owner in OURS and owner not in MAY_IMPORT[app]:
                yield f"line {node.lineno}: {app} imports {name}"
            if owner in OURS and id(node) in inside and not name.startswith(LATE):
                yield f"line {node.lineno}: {name} is imported inside a function"
            if name.endswith((".dispatch.receiver", ".dispatch.Signal")) or ".signals" in f".{name}":
                yield f"line {node.lineno}: signals ({name})"
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
            called = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
            if called in {"import_module", "__import__", "get_model"}:
                yield f"line {node.lineno}: {called} hides an import"


def heavy(sources: dict[str, str]) -> set[str]:
    """Return the modules of those given that load PyTorch by being imported."""
    tops = {module: set(_at_the_top(source)) for module, source in sources.items()}
    found = {module for module, names in tops.items() if any(name.partition(".")[0] == HEAVY for name in names)}
    while more := {module for module, names in tops.items() if names & found} - found:
        found |= more
    return found


def _at_the_top(source: str) -> Iterator[str]:
    for node in ast.parse(source).body:
        # What is only for the type checker is an `if`, and not looked into.
        for one in [node, *(node.body if isinstance(node, ast.Try) else [])]:
            yield from _imported(one)


def _is_function(node: ast.AST) -> bool:
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        module = node.module or ""
        return ["." * node.level + module] if node.level else [module, *(f"{module}.{alias.name}" for alias in node.names)]
    return []


def test_imports_run_one_way() -> None:
    names = {path: path.relative_to(ROOT) for path in FILES}
    found = [f"{name}, {fault}" for path, name in names.items() for fault in faults(path.read_text(), name.parts[0])]
    assert found == []


def test_nothing_outside_of_the_networks_loads_torch_by_being_imported() -> None:
    sources = {".".join(path.relative_to(ROOT).with_suffix("").parts): path.read_text() for path in FILES}
    found = heavy(sources)
    assert {"inference.vision.network", "inference.vision.fit", "inference.vision.export"} <= found
    assert [module for module in found if not module.startswith(f"{LATE}.")] == []


def test_the_way_to_torch_is_followed() -> None:
    sources = {"a": "import torch.nn", "b": "from a import x", "c": "try:\n    import b\nexcept ImportError:\n    pass"}
    later = {"d": "def f():\n    import a", "e": "if TYPE_CHECKING:\n    import a", "f": "import torchless"}
    assert heavy(sources | later) == {"a", "b", "c"}


def test_every_app_was_looked_at() -> None:
    assert {path.relative_to(ROOT).parts[0] for path in FILES} == set(MAY_IMPORT)


@pytest.mark.parametrize(
    ("app", "source", "words"),
    [
        ("policies", "from gateway.models import Item", "policies imports gateway"),
        ("policies", "import inference", "policies imports inference"),
        ("inference", "from policies.models import Line", "inference imports policies"),
        ("gateway", "from review import claims", "gateway imports review"),
        ("review", "import monitoring.intervals", "review imports monitoring"),
        ("monitoring", "from tests.conftest import photo", "monitoring imports tests"),
        ("review", "def late():\n    from gateway import api", "inside a function"),
        ("gateway", "class View:\n    async def get(self):\n        import policies.decide", "inside a function"),
        ("review", "from django.dispatch import receiver", "signals"),
        ("review", "from django.db.models.signals import post_save", "signals"),
        ("review", "from django.db.models import signals", "signals"),
        ("gateway", "from importlib import import_module\nimport_module('review.claims')", "hides an import"),
        ("gateway", "from django.apps import apps\napps.get_model('review', 'Claim')", "hides an import"),
    ],
)
def test_the_check_finds_a_planted_fault(app: str, source: str, words: str) -> None:
    assert any(words in fault for fault in faults(source, app))


@pytest.mark.parametrize(
    "source",
    [
        "import os\nfrom django.db import models",
        "from gateway import errors",
        "def f():\n    import os",
        "x = 'import review'",
        "def f():\n    from inference.vision.fit import train",
    ],
)
def test_the_check_leaves_what_is_allowed_alone(source: str) -> None:
    assert list(faults(source, "gateway")) == []
