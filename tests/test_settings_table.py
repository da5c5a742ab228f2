"""The operator's table names every variable that is read once, and none that is not."""

from __future__ import annotations

import re

from tests.test_imports import ROOT


def test_the_table_and_the_settings_agree() -> None:
    read = set(re.findall(r'env_\w+\(\s*"(\w+)"', (ROOT / "gateway" / "settings.py").read_text()))
    rows = re.findall(r"^\| (`[A-Z][^|]*) \|", (ROOT / "docs" / "operations.md").read_text(), re.M)
    told = [name for row in rows for name in re.findall(r"`([A-Z][A-Z0-9_]+)`", row)]
    assert sorted(told) == sorted(read)
