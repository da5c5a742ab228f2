"""The house's own rules about its files, read from the source."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

from tests.test_imports import FILES, ROOT

MOST_LINES = 300
MOST_LINES_A_FUNCTION = 40


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@cache
def _trees() -> list[tuple[Path, ast.Module]]:
    return [(path, ast.parse(path.read_text())) for path in FILES]


def test_no_file_is_too_long() -> None:
    long = {_name(path): count for path in FILES if (count := len(path.read_text().splitlines())) > MOST_LINES}
    assert long == {}


def test_no_function_is_too_long() -> None:
    long = {
        f"{_name(path)}:{node.name}": length
        for path, tree in _trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (length := (node.end_lineno or 0) - node.lineno + 1) > MOST_LINES_A_FUNCTION
    }
    assert long == {}


@pytest.mark.parametrize("kind", [ast.Assert, ast.Global])
def test_product_code_does_without(kind: type[ast.AST]) -> None:
    found = [f"{_name(path)}:{node.lineno}" for path, tree in _trees() for node in ast.walk(tree) if isinstance(node, kind)]
    assert found == []


def test_no_model_overrides_save_or_delete() -> None:
    found = [
        f"{_name(path)}:{node.lineno}"
        for path, tree in _trees()
        if path.name == "models.py"
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and node.name in {"save", "delete"}
    ]
    assert found == []


def test_decide_and_the_modes_know_no_framework() -> None:
    """The rule that decides is pure: it has no clock, no chance, no database and no settings."""
    allowed = {"__future__", "hashlib", "collections", "dataclasses", "enum", "uuid", "policies"}
    for name in ("decide.py", "modes.py"):
        tree = ast.parse((ROOT / "policies" / name).read_text())
        modules = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        modules |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
        assert {module.partition(".")[0] for module in modules} <= allowed
        assert not {module for module in modules if module.startswith("policies") and module != "policies.modes"}


def test_only_the_lifecycle_and_the_record_write_an_items_state() -> None:
    """`state`, `answer` and `revision` of an item are set in one place after it was recorded; retention notes a photo gone."""
    allowed = {"gateway/lifecycle.py", "gateway/recording.py", "review/importing.py", "review/retention.py"}
    found = {
        _name(path) for path, tree in _trees() for node in ast.walk(tree) if isinstance(node, ast.Call) and _writes_items(node)
    }
    assert found <= allowed
    assert "gateway/lifecycle.py" in found


def _writes_items(call: ast.Call) -> bool:
    if isinstance(call.func, ast.Name):
        # A statement that is compiled once: `Update(lambda: Item.objects...)`.
        return call.func.id in {"Update", "UpdateReturning"} and "Item.objects" in ast.unparse(call)
    writes = {"update", "create", "bulk_create", "bulk_update"}
    return isinstance(call.func, ast.Attribute) and call.func.attr in writes and "Item.objects" in ast.unparse(call.func)
