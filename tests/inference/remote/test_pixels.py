"""What is sent of a picture equals the plain formula, in every form."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from inference.remote.errors import ManifestRefused
from inference.remote.pixels import DTYPES, Encoder
from tests.inference.remote.conftest import manifest

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def pictures(count: int = 2) -> np.ndarray:
    return np.random.default_rng(7).integers(0, 256, (count, 224, 224, 3), dtype=np.uint8)


def expected(batch: np.ndarray, **values: Any) -> np.ndarray:
    """Return the tensor by the formula of the manifest, in double precision."""
    sent = batch[..., ::-1] if values.get("order") == "BGR" else batch
    if values.get("datatype") != "UINT8":
        sent = (sent * values.get("scale", 1 / 255) - np.array(values.get("mean", 0))) / np.array(values.get("std", 1))
    return sent.transpose(0, 3, 1, 2) if values.get("layout") == "NCHW" else sent


@pytest.mark.parametrize("layout", ["NHWC", "NCHW"])
@pytest.mark.parametrize("order", ["RGB", "BGR"])
@pytest.mark.parametrize("numbers", [{"datatype": "UINT8"}, {}, {"mean": MEAN, "std": STD}, {"scale": 1.0}])
@pytest.mark.parametrize("binary", [True, False])
def test_every_form_of_it(layout: str, order: str, numbers: dict[str, Any], binary: bool) -> None:
    values = {"layout": layout, "order": order, **numbers}
    whole = manifest(binary=binary, **values)
    batch = pictures(1)
    encoder = Encoder(whole)
    data = encoder.data(batch)
    kind = DTYPES[whole.datatype]
    found = np.frombuffer(data, kind) if binary else np.array(json.loads(b"[" + data + b"]"))
    np.testing.assert_allclose(found.reshape(encoder.shape(1)), expected(batch, **values), rtol=1e-6, atol=1e-6)


def test_half_precision() -> None:
    encoder = Encoder(manifest(datatype="FP16", binary=True))
    found = np.frombuffer(encoder.data(pictures(1)), "<f2").reshape(1, 224, 224, 3)
    np.testing.assert_allclose(found, pictures(1) / 255, atol=1e-3)


def test_pictures_stay_apart() -> None:
    batch = pictures(3)
    encoder = Encoder(manifest(datatype="UINT8", binary=True))
    assert encoder.data(batch) == batch.tobytes()
    assert encoder.shape(3) == [3, 224, 224, 3]


def test_a_model_of_another_size_gets_its_size() -> None:
    batch = np.zeros((2, 224, 224, 3), np.uint8)
    batch[1, :, 112:] = 255
    encoder = Encoder(manifest(datatype="UINT8", binary=True, height=32, width=64))
    found = np.frombuffer(encoder.data(batch), np.uint8).reshape(encoder.shape(2))
    assert found.shape == (2, 32, 64, 3)
    assert not found[0].any()
    assert (found[1, :, :30] == 0).all()
    assert (found[1, :, 34:] == 255).all()


def test_numbers_that_have_no_place_in_the_datatype_are_refused() -> None:
    with pytest.raises(ManifestRefused, match="range of FP16"):
        Encoder(manifest(datatype="FP16", binary=True, scale=1e6))
