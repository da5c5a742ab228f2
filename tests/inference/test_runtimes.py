"""The runtime that serves says what the one that trained says, and a JPEG looks the same by either decoder."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import onnxruntime
import pytest
import torch
from PIL import Image

from inference import runtimes
from inference.errors import ModelUnavailable
from inference.images import jpeg_pixels
from inference.images.pixels import _upright, upright_square
from inference.images.sniff import walker
from inference.images.stats import light_and_focus
from inference.vision import backbone, lite0
from inference.vision.export import to_onnx
from inference.vision.network import Network
from tests.inference.conftest import shot
from tests.inference.pictures import decode, encoded, gradient


def test_both_runtimes_say_the_same(trained):
    photos = np.stack([decode(shot(answer, seed)[0]).pixels for seed in range(900, 903) for answer in ("ok", "dot", "line")])
    fast, slow = (runtimes.load(replace(trained[0], runtime=name)).predict(photos) for name in ("onnxruntime", "torch"))
    for one, other in zip(fast, slow, strict=True):
        assert one.probabilities == pytest.approx(other.probabilities, abs=1e-4)
        assert [region.label for region in one.regions] == [region.label for region in other.regions]
        heat, cold = (np.frombuffer(said.heatmap.values, np.uint8).astype(int) for said in (one, other))
        assert np.abs(heat - cold).max() <= 1


@pytest.mark.parametrize("name", list(backbone.CHOICES))
def test_every_backbone_has_the_same_numbers_as_a_graph(name):
    if not backbone.CHOICES[name].available():
        pytest.skip(f"{name} is not installed")
    torch.manual_seed(3)
    network = Network(name, 4).eval()
    session = onnxruntime.InferenceSession(to_onnx(network, 224), providers=["CPUExecutionProvider"])
    pixels = np.random.default_rng(3).integers(0, 255, (3, 224, 224, 3), dtype=np.uint8)
    with torch.inference_mode():
        wanted = network(torch.from_numpy(pixels))
    for found, right in zip(session.run(None, {"pixels": pixels}), wanted, strict=True):
        assert np.abs(found - right.numpy()).max() <= 1e-4


def test_weights_of_another_program_are_unavailable_to_both(trained):
    for name in ("onnxruntime", "torch"):
        with pytest.raises(ModelUnavailable):
            runtimes.load(replace(trained[0], runtime=name, weights_digest="f" * 64))


def scene(width: int, height: int) -> bytes:
    """A picture with soft shapes, a sharp edge and some noise."""
    down, across = np.mgrid[0:height, 0:width]
    picture = 120 + 60 * np.sin(across / 40)[..., None] * [1, 0.8, 0.6] + 30 * np.cos(down / 30)[..., None]
    picture[height // 3 : height // 2, width // 4 : width // 2] += 50
    picture += np.random.default_rng(5).normal(0, 3, picture.shape)
    return encoded(Image.fromarray(picture.clip(0, 255).astype(np.uint8)), "JPEG", quality=90)


@pytest.mark.parametrize(("width", "height"), [(640, 480), (1600, 1200), (300, 1400), (120, 90), (4000, 300)])
def test_the_fast_decoder_sees_what_the_exact_one_sees(width, height):
    """On average within two levels of 255, nowhere further off than the edge of a shape; the figures by the per cent."""
    container = walker(scene(width, height))(scene(width, height))
    fast, exact = upright_square(container, 224), np.array(_upright(container, (224, 224)))
    apart = np.abs(fast.astype(int) - exact.astype(int))
    assert apart.mean() <= 2
    assert np.percentile(apart, 99) <= 12
    one, other = light_and_focus(fast), light_and_focus(exact)
    assert one["brightness"] == pytest.approx(other["brightness"], abs=0.01)
    assert one["contrast"] == pytest.approx(other["contrast"], abs=0.01)


def test_what_the_fast_decoder_cannot_read_goes_to_the_other(monkeypatch):
    container = walker(encoded(gradient().convert("CMYK"), "JPEG"))(encoded(gradient().convert("CMYK"), "JPEG"))
    assert jpeg_pixels.decode(container, 224) is None
    assert upright_square(container, 224).shape == (224, 224, 3)


def test_a_scan_that_breaks_off_is_left_to_the_other_decoder():
    data = io.BytesIO(encoded(gradient(640, 480), "JPEG", quality=95)).getvalue()
    at = data.rfind(b"\xff\xda")
    broken = data[: at + (len(data) - at) // 2].rstrip(b"\xff") + b"\xff\xd9"
    assert jpeg_pixels.decode(walker(broken)(broken), 224) is None


def test_the_pretrained_backbone_is_among_those_tested():
    assert lite0.NAME in backbone.CHOICES


def test_a_graph_that_is_kept_needs_no_torch(trained, predictor, monkeypatch):
    def nobody(*args):
        raise AssertionError("PyTorch is asked for a graph that is kept")

    monkeypatch.setattr("inference.runtimes.onnx_cpu.restored", nobody)
    photo = decode(shot("dot", 900)[0]).pixels[np.newaxis]
    assert runtimes.load(trained[0]).predict(photo) == predictor.predict(photo)
