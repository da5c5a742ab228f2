"""The demo's camera: one seed, one photo; and the truth says where the photo differs from the good phone's."""

from __future__ import annotations

import io
import math
from functools import lru_cache
from itertools import pairwise

import numpy as np
import pytest
from PIL import Image

from monitoring.demo.phones import CLASSES, Phone, Shift, draw, plan, render

SMALL = {"width": 480, "height": 360}
DEFECTS = CLASSES[1:]


@lru_cache(maxsize=64)
def photo(seed: int, truth: str, visibility: float | None = None) -> Phone:
    return render(seed, truth=truth, visibility=visibility, **SMALL)


def pixels(phone: Phone) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(phone.jpeg)), np.float64)


def light(phone: Phone) -> float:
    encoded = pixels(phone) / 255.0
    return float(np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4).mean())


def changed(seed: int, truth: str) -> np.ndarray:
    """Where a defect of middling visibility changed the photo of the same seed's good phone, beyond the JPEG's own noise."""
    return np.abs(pixels(photo(seed, truth, 0.7)) - pixels(photo(seed, "ok"))).max(axis=2) > 16


def inside(boxes: tuple[tuple[float, float, float, float], ...], shape: tuple[int, ...], margin: int) -> np.ndarray:
    mask = np.zeros(shape, bool)
    for x, y, width, height in boxes:
        top, left = round(y * shape[0]) - margin, round(x * shape[1]) - margin
        bottom, right = round((y + height) * shape[0]) + margin, round((x + width) * shape[1]) + margin
        mask[max(0, top) : bottom, max(0, left) : right] = True
    return mask


def test_a_seed_gives_the_same_photo_every_time() -> None:
    assert render(7, truth="crack", **SMALL) == render(7, truth="crack", **SMALL)


def test_seeds_give_different_phones() -> None:
    phones = [photo(seed, "ok") for seed in range(6)]
    assert len({phone.jpeg for phone in phones}) == len({phone.serial for phone in phones}) == 6
    assert len({(phone.model, phone.colour) for phone in phones}) > 2


@pytest.mark.parametrize("truth", CLASSES)
def test_every_class_decodes_at_the_asked_size(truth: str) -> None:
    phone = photo(3, truth)
    assert Image.open(io.BytesIO(phone.jpeg)).size == (480, 360)
    assert phone.truth == truth


def test_the_size_is_a_camera_photo_unless_asked_otherwise() -> None:
    assert Image.open(io.BytesIO(render(3, truth="ok").jpeg)).size == (960, 720)


def test_a_good_phone_has_neither_visibility_nor_boxes() -> None:
    phone = render(3, truth="ok", visibility=0.9, **SMALL)
    assert (phone.visibility, phone.boxes) == (0.0, ())


@pytest.mark.parametrize("truth", DEFECTS)
@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_boxes_cover_what_the_defect_changed(truth: str, seed: int) -> None:
    change = changed(seed, truth)
    assert change.sum() > 20
    assert (change & inside(photo(seed, truth, 0.7).boxes, change.shape, margin=4)).sum() / change.sum() > 0.99


@pytest.mark.parametrize("truth", DEFECTS)
def test_boxes_lie_in_the_photo_and_are_tight(truth: str) -> None:
    for seed in (1, 2, 3, 4):
        for x, y, width, height in photo(seed, truth, 0.7).boxes:
            assert min(x, y) >= 0.0 and x + width <= 1.0 and y + height <= 1.0
            assert 0.0 < width * height < 0.3


@pytest.mark.parametrize("truth", DEFECTS)
def test_a_visible_defect_changes_more_than_a_hidden_one(truth: str) -> None:
    good = pixels(photo(2, "ok"))
    hidden, middling, plain = (np.abs(pixels(photo(2, truth, seen)) - good).sum() for seen in (0.05, 0.4, 1.0))
    assert hidden < middling < plain


def test_the_defect_never_moves_the_phone_it_lies_on() -> None:
    phones = [photo(5, truth) for truth in CLASSES]
    assert len({(phone.serial, phone.model, phone.colour) for phone in phones}) == 1
    corner = np.s_[:60, :60]
    assert np.abs(pixels(phones[0])[corner] - pixels(phones[1])[corner]).max() == 0


def test_darker_takes_away_that_share_of_the_light() -> None:
    for seed in (1, 2):
        dim = render(seed, truth="ok", shift=Shift(darker=0.6), **SMALL)
        assert light(dim) / light(photo(seed, "ok")) == pytest.approx(0.6, abs=0.03)


def test_warmer_moves_light_from_blue_to_red() -> None:
    warm, plain = (
        pixels(phone).mean(axis=(0, 1)) for phone in (render(1, truth="ok", shift=Shift(warmer=0.5), **SMALL), photo(1, "ok"))
    )
    assert warm[0] > plain[0] * 1.03 and warm[2] < plain[2] * 0.97


def test_blur_takes_detail_and_noise_adds_it() -> None:
    soft, plain, noisy = (
        np.abs(np.diff(pixels(render(1, truth="ok", shift=shift, **SMALL)), axis=1)).mean()
        for shift in (Shift(blur=3.0, noise=0.0), Shift(noise=0.0), Shift(noise=4.0))
    )
    assert soft < plain * 0.9 and noisy > plain * 1.3


def test_draw_renders_what_the_plan_says() -> None:
    for seed in (11, 12):
        phone = draw(seed, 0.9)
        assert (phone.truth, phone.visibility) == plan(seed, 0.9)


def test_the_plan_keeps_the_defect_rate() -> None:
    for rate in (0.05, 0.3, 0.8):
        defects = sum(plan(seed, rate)[0] != "ok" for seed in range(300))
        assert abs(defects - 300 * rate) < 4 * math.sqrt(300 * rate * (1 - rate))


def test_the_plan_is_exact_at_its_ends() -> None:
    assert {plan(seed, 0.0) for seed in range(50)} == {("ok", 0.0)}
    assert "ok" not in {plan(seed, 1.0)[0] for seed in range(50)}


def test_all_defects_come_up_from_obvious_to_barely_visible() -> None:
    plans = [plan(seed, 1.0) for seed in range(300)]
    assert {truth for truth, _ in plans} == set(DEFECTS)
    seen = sorted(visibility for _, visibility in plans)
    assert 0.0 < seen[0] < 0.15 and seen[-1] > 0.9
    assert max(later - earlier for earlier, later in pairwise(seen)) < 0.1


def test_a_higher_rate_keeps_the_defects_of_a_lower_one() -> None:
    low = {seed for seed in range(300) if plan(seed, 0.1)[0] != "ok"}
    assert low < {seed for seed in range(300) if plan(seed, 0.5)[0] != "ok"}


def test_serials_are_distinct() -> None:
    assert len({photo(seed, "ok").serial.split("-")[1] for seed in range(8)}) == 8


@pytest.mark.parametrize("rate", [-0.1, 1.1, float("nan")])
def test_a_rate_outside_0_to_1_is_refused(rate: float) -> None:
    with pytest.raises(ValueError, match="defect_rate"):
        plan(1, rate)


def test_a_visibility_outside_0_to_1_is_refused() -> None:
    with pytest.raises(ValueError, match="visibility"):
        render(1, truth="dent", visibility=1.5)


def test_an_unknown_truth_is_refused() -> None:
    with pytest.raises(ValueError, match="truth"):
        render(1, truth="melted")
