"""A description of a remote model either works or is refused with the reason."""

from __future__ import annotations

import json
from typing import Any

import pytest

from inference.remote.errors import ManifestRefused
from inference.remote.manifest import parse
from tests.inference.remote.conftest import manifest


def test_it_survives_being_stored() -> None:
    whole = manifest(url="https://models.plant/base", version="3", mean=(0.5, 0.4, 0.3), heatmap_name="h", binary=True)
    assert parse(json.loads(json.dumps(whole.as_spec()))) == whole


def test_its_path_names_model_and_version() -> None:
    assert manifest(model="phones.v2").path == "/v2/models/phones.v2"
    assert manifest(version="3").path == "/v2/models/phones/versions/3"


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"url": "ftp://host"}, "http://"),
        ({"url": "file:///etc/passwd"}, "http://"),
        ({"url": "http://"}, "http://"),
        ({"url": "http://me:secret@host"}, "name or password"),
        ({"url": "http://host/?a=b"}, "plain base address"),
        ({"url": "http://host/#x"}, "plain base address"),
        ({"url": "http://ho st/"}, "plain base address"),
        ({"url": "http://host:99999"}, "cannot be read"),
        ({"url": "http://[::1"}, "cannot be read"),
        ({"model": "../admin"}, "no name for a model"),
        ({"model": "a/b"}, "no name for a model"),
        ({"model": ""}, "no name for a model"),
        ({"version": "1/../2"}, "no name for a version"),
        ({"token_env": "A-B"}, "environment variable"),
        ({"datatype": "INT64"}, "datatype"),
        ({"layout": "HWC"}, "layout"),
        ({"order": "RBG"}, "order"),
        ({"activation": "relu"}, "activation"),
        ({"input_name": ""}, "have names"),
        ({"datatype": "FP16"}, "binary extension"),
        ({"height": 0}, "height"),
        ({"width": 5000}, "width"),
        ({"most": 0}, "batch"),
        ({"mean": (0.0,)}, "three numbers"),
        ({"std": (1.0, 0.0, 1.0)}, "std is not 0"),
        ({"scale": float("nan")}, "finite"),
        ({"classes": ("ok",)}, "two different"),
        ({"classes": ("ok", "ok")}, "two different"),
        ({"activation": "sigmoid"}, "one number for two classes"),
    ],
)
def test_what_cannot_work_is_refused(values: dict[str, Any], said: str) -> None:
    with pytest.raises(ManifestRefused, match=said):
        manifest(**values)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"protocol": "v1"}, "no manifest"),
        ({"colour": "red"}, "colour"),
        ({"model": None}, "complete"),
        ({"height": "9"}, "not complete"),
    ],
)
def test_a_stored_one_that_is_not_understood_is_refused(change: dict[str, Any], said: str) -> None:
    with pytest.raises(ManifestRefused, match=said):
        parse(manifest().as_spec() | change)


def test_an_incomplete_one_is_refused() -> None:
    spec = manifest().as_spec()
    del spec["url"]
    with pytest.raises(ManifestRefused, match="not complete"):
        parse(spec)
