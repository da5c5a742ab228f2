"""Weights come back as they were stored, or not at all."""

from __future__ import annotations

import json

import numpy as np
import pytest

from inference import weights
from inference.errors import ModelUnavailable

TENSORS = {"a": np.arange(6, dtype=np.float32).reshape(2, 3), "b": np.array([1], np.int64)}


@pytest.fixture(autouse=True)
def place(settings, tmp_path):
    settings.VAR_DIR = tmp_path
    return tmp_path / "models"


def test_round_trip():
    digest = weights.store(TENSORS, {"classes": ["ok", "dent"]}, {"seed": 7})
    tensors, spec = weights.load(digest)
    assert spec == {"classes": ["ok", "dent"]}
    assert {name: value.tolist() for name, value in tensors.items()} == {"a": [[0, 1, 2], [3, 4, 5]], "b": [1]}


def test_the_card_lies_beside_the_weights(place):
    digest = weights.store(TENSORS, {}, {"seed": 7})
    assert json.loads((place / f"{digest}.json").read_text()) == {"seed": 7, "weights_digest": digest}
    assert sorted(file.name for file in place.iterdir()) == [f"{digest}.json", f"{digest}.safetensors"]


def test_equal_weights_have_equal_digests_whatever_the_card_says():
    assert weights.store(TENSORS, {"x": 1, "y": 2}, {"day": 1}) == weights.store(TENSORS, {"y": 2, "x": 1}, {"day": 2})


def test_a_spec_is_part_of_the_digest():
    assert weights.store(TENSORS, {"x": 1}, {}) != weights.store(TENSORS, {"x": 2}, {})


def test_missing_weights_are_unavailable():
    with pytest.raises(ModelUnavailable, match="No such file"):
        weights.load("0" * 64)


def test_changed_weights_are_unavailable(place):
    digest = weights.store(TENSORS, {}, {})
    file = place / f"{digest}.safetensors"
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(data)
    with pytest.raises(ModelUnavailable, match="changed on disk"):
        weights.load(digest)


def test_a_name_that_is_no_digest_reaches_no_file():
    with pytest.raises(ModelUnavailable, match="not the digest"):
        weights.load("../../secret_key")


def test_a_file_that_is_not_ours_is_unavailable(place):
    weights.store(TENSORS, {}, {})
    (place / f"{weights.hashlib.sha256(b'junk').hexdigest()}.safetensors").write_bytes(b"junk")
    with pytest.raises(ModelUnavailable, match="not a model of ours"):
        weights.load(weights.hashlib.sha256(b"junk").hexdigest())


def test_a_write_that_fails_leaves_nothing_behind(place, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("inference.weights.os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        weights.store(TENSORS, {}, {})
    assert list(place.iterdir()) == []
