"""How well a model does on examples it was not fitted to. Every figure comes with its interval and its n."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from inference import kinds
from inference.examples import Example, Progress
from inference.kinds.base import Limits
from inference.measures import area, average_precision, f1, share
from inference.runtimes import Predictor

BATCH = 16
BINS = 10


def evaluate(
    predictor: Predictor,
    examples: Sequence[Example],
    classes: Sequence[str],
    progress: Progress,
    *,
    limits: Limits = Limits(),  # noqa: B008 - frozen
) -> dict[str, Any]:
    """Return the metrics of `predictor` on `examples`, all of them: choose the split before. The result is plain JSON.

    An estimate is `{"value", "low", "high", "n"}` with a 95 % interval; `value` is None where nothing can be said, as for the
    precision of a class that was never answered. What was said of each example is beside them
    under `examples`, which grows with their number. Raises `InputRefused` for an example that can't be read.
    """
    probabilities = _probabilities(predictor, examples, classes, progress, limits)
    truth = np.array([classes.index(example.answer) for example in examples], dtype=np.int64)
    return metrics(truth, probabilities, classes) | {
        "examples": [
            {
                "digest": example.digest,
                "truth": example.answer,
                "probabilities": dict(zip(classes, map(float, row), strict=True)),
            }
            for example, row in zip(examples, probabilities, strict=True)
        ]
    }


def metrics(truth: np.ndarray[Any, Any], probabilities: np.ndarray[Any, Any], classes: Sequence[str]) -> dict[str, Any]:
    """Return the metrics for true class indices [n] and probabilities [n, classes]. The first class is the negative."""
    answers = probabilities.argmax(axis=1)
    confusion = np.zeros((len(classes), len(classes)), dtype=int)
    np.add.at(confusion, (truth, answers), 1)
    return {
        "n": len(truth),
        "classes": list(classes),
        "accuracy": share(int((truth == answers).sum()), len(truth)),
        "defect_auroc": area(truth != 0, 1 - probabilities[:, 0]),
        "defect_average_precision": average_precision(truth != 0, 1 - probabilities[:, 0]),
        # Rows are the truth, columns the answers, both in the order of `classes`.
        "confusion": confusion.tolist(),
        "per_class": {label: _of_class(truth == k, answers == k, probabilities[:, k]) for k, label in enumerate(classes)},
        "reliability": _reliability(truth == answers, probabilities.max(axis=1, initial=0)),
    }


def _of_class(is_it: np.ndarray[Any, Any], said_so: np.ndarray[Any, Any], score: np.ndarray[Any, Any]) -> dict[str, Any]:
    right = int((is_it & said_so).sum())
    return {
        "support": int(is_it.sum()),
        "precision": share(right, int(said_so.sum())),
        "recall": share(right, int(is_it.sum())),
        "f1": f1(is_it, said_so),
        "average_precision": average_precision(is_it, score),
    }


def _reliability(right: np.ndarray[Any, Any], confidence: np.ndarray[Any, Any]) -> list[dict[str, Any]]:
    """Return ten bins of confidence, each with how sure the model was and how often it was right."""
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    return [
        {
            "from": number / BINS,
            "to": (number + 1) / BINS,
            "confidence": float(confidence[bins == number].mean()) if (bins == number).any() else None,
            "right": share(int(right[bins == number].sum()), int((bins == number).sum())),
        }
        for number in range(BINS)
    ]


def _probabilities(
    predictor: Predictor, examples: Sequence[Example], classes: Sequence[str], progress: Progress, limits: Limits
) -> np.ndarray[Any, Any]:
    """Return float [n, classes]; a class the model does not know has probability 0."""
    kind = kinds.get(predictor.kind)
    found = np.zeros((len(examples), len(classes)))
    for start in range(0, len(examples), BATCH):
        batch = [kind.decode(example.read(), limits=limits).pixels for example in examples[start : start + BATCH]]
        for row, scores in enumerate(predictor.predict(np.stack(batch)), start=start):
            found[row] = [scores.probabilities.get(label, 0.0) for label in classes]
        done = start + len(batch)
        progress(done / len(examples), f"Evaluating: {done} of {len(examples)}")
    return found
