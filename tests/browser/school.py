"""Real training, small enough for a test: pictures that a child could tell apart, a model that has learnt them, a worker."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connections

from gateway import deployments
from gateway.models import Role
from inference import kinds
from inference.examples import Example
from inference.kinds.base import Limits
from inference.models import ModelVersion
from inference.training import create_version
from policies.models import Line
from review.importing import find_photos, import_photos
from review.tasks import run_training
from tests.conftest import CLASSES
from tests.inference.conftest import shot

# What the shots of the tests of inference show, in the words of the line.
SHOWS = {"ok": "ok", "scratch": "line", "dent": "dot"}


def picture(answer: str, seed: int) -> bytes:
    """A noisy grey square with a line where it is scratched and a dot where it is dented."""
    return shot(SHOWS[answer], seed)[0]


@contextmanager
def short_lessons() -> Iterator[None]:
    """Let a training see each picture once and take a third of the steps: enough for these."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("inference.vision.material.MOST_INPUTS", 24)
        patch.setattr("inference.vision.learn.LEAST_STEPS", 50)
        yield


def first_champion(line: Line, by: User, now: datetime) -> ModelVersion:
    """Train a model outside the line, and put it into service."""
    examples = [_example(answer, number) for answer in CLASSES for number in range(8)]
    with short_lessons():
        trained = kinds.get("inspection").train(examples, CLASSES, seed=1, progress=lambda share, said: None, limits=Limits())
    made = create_version(trained, {}, "")
    deployments.deploy(line, made, Role.CHAMPION, by=by, reason="The first one", now=now)
    return made


def _example(answer: str, number: int) -> Example:
    data = picture(answer, 100 * CLASSES.index(answer) + number)
    return Example(f"{answer}-{number}", answer, "train" if number < 6 else "validation", lambda: data)


def bring_in(line: Line, folder: Path, each: int) -> None:
    """Import a labelled folder of so many pictures of each class."""
    for place, answer in enumerate(CLASSES):
        (folder / answer).mkdir(parents=True)
        for number in range(each):
            (folder / answer / f"{number:03}.png").write_bytes(picture(answer, 5_000 + 100 * place + number))
    done = import_photos(line, find_photos(folder, CLASSES), actor="user:max", progress=lambda more: None)
    assert done.added == each * len(CLASSES)


@contextmanager
def worker() -> Iterator[Callable[[], None]]:
    """Do trainings beside the server, like the worker's process does. It sleeps until it is called."""
    busy: list[threading.Thread] = []
    awake = threading.Event()

    def wake() -> None:
        awake.set()
        for thread in busy:
            thread.join()

    def work(*args: Any) -> None:
        try:
            awake.wait()
            run_training.run(*args)
        finally:
            connections.close_all()

    def send(args: tuple[Any, ...], **options: Any) -> None:
        busy.append(threading.Thread(target=work, args=args, daemon=True))
        busy[-1].start()

    with pytest.MonkeyPatch.context() as patch, short_lessons():
        patch.setattr(run_training, "apply_async", send)
        yield wake
        wake()
