"""A graph is made once; what is kept is used only where it is what this program made of these weights."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from pytest_django import Settings

from inference import graphs

WEIGHTS = "a" * 64


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, settings: Settings) -> Path:
    settings.VAR_DIR = tmp_path
    return tmp_path / "graphs"


def nobody() -> bytes:
    raise AssertionError("a graph that is kept is made again")


def test_it_is_made_once(folder: Path) -> None:
    assert graphs.kept(WEIGHTS, lambda: b"graph") == b"graph"
    assert graphs.kept(WEIGHTS, nobody) == b"graph"
    assert graphs.kept("b" * 64, lambda: b"another") == b"another"
    assert len(list(folder.iterdir())) == 2


def test_what_is_damaged_is_made_anew(folder: Path) -> None:
    graphs.kept(WEIGHTS, lambda: b"graph")
    (path,) = folder.iterdir()
    for damaged in (b"", path.read_bytes()[:-1], path.read_bytes() + b"more"):
        path.write_bytes(damaged)
        assert graphs.kept(WEIGHTS, lambda: b"graph") == b"graph"
        assert graphs.kept(WEIGHTS, nobody) == b"graph"


def test_what_somebody_else_signed_is_made_anew(settings: Settings) -> None:
    settings.SECRET_KEY = "somebody else's"
    graphs.kept(WEIGHTS, lambda: b"wrong")
    settings.SECRET_KEY = "ours"
    assert graphs.kept(WEIGHTS, lambda: b"graph") == b"graph"


def test_a_graph_under_the_name_of_other_weights_is_made_anew(folder: Path) -> None:
    graphs.kept("b" * 64, lambda: b"of others")
    (path,) = folder.iterdir()
    path.rename(folder / path.name.replace("b" * 64, WEIGHTS))
    assert graphs.kept(WEIGHTS, lambda: b"graph") == b"graph"


def test_another_program_makes_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    graphs.kept(WEIGHTS, lambda: b"graph")
    monkeypatch.setattr(graphs, "program", lambda: "f" * 64)
    assert graphs.kept(WEIGHTS, lambda: b"of another program") == b"of another program"


def test_a_full_disk_keeps_nobody_from_serving(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    def full(path: Path, data: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(graphs, "write_whole", full)
    assert graphs.kept(WEIGHTS, lambda: b"graph") == b"graph"
    assert "could not be kept" in caplog.text


def test_the_one_not_used_for_longest_makes_room(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setattr(graphs, "MOST_KEPT", 2)
    for age, letter in enumerate("cba"):
        graphs.kept(letter * 64, letter.encode)
        (path,) = folder.glob(f"{letter}*")
        os.utime(path, (1_000_000 - age, 1_000_000 - age))
    graphs.kept("c" * 64, nobody)
    graphs.kept("d" * 64, lambda: b"d")
    assert {path.name[0] for path in folder.iterdir()} == {"c", "d"}


def test_a_program_is_its_sources_and_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    usual = graphs.program()
    graphs.program.cache_clear()
    assert graphs.program() == usual
    graphs.program.cache_clear()
    monkeypatch.setattr(graphs, "_version", lambda package: "0")
    assert graphs.program() != usual
    graphs.program.cache_clear()
