"""A line made from a folder of real tiles: how well its model tells defects, and how right its automated decisions are.

    python benchmarks/tiles.py DIR

DIR has a folder a class (`free` is good) with a .jpg a photo and, where there is one, a .png mask of the same stem. The whole
product is used: import, training run, promotion, the dial, and the test split posted through the API. The last line of the
output is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import replace
from pathlib import Path

import scratch

scratch.begin()

from django.test import Client  # noqa: E402
from django.utils import timezone  # noqa: E402
from rich.console import Console  # noqa: E402
from rich.table import Table  # noqa: E402

from gateway import deployments, media  # noqa: E402
from gateway.models import Role  # noqa: E402
from gateway.tokens import SCOPES, create_token  # noqa: E402
from inference import evaluation, runtimes  # noqa: E402
from policies.changes import Draft, active_policy, change_policy, draft_of  # noqa: E402
from policies.lines import ClassDraft, create_line  # noqa: E402
from policies.models import Line  # noqa: E402
from policies.modes import Mode  # noqa: E402
from review.datasets import rows_of  # noqa: E402
from review.importing import find_classes, find_photos, import_photos  # noqa: E402
from review.management.commands.retrain import bar, shower  # noqa: E402
from review.models import TrainingRun  # noqa: E402
from review.training import examples_of, request_training, work_on  # noqa: E402

console = Console()
# The rule by which the thresholds are set by hand, on the validation split alone: a class is decided alone from where on its
# validation decisions were right this often, and the line automates no more than this share, the surest first.
RIGHT_ON_VALIDATION = 0.985
MOST_AUTOMATED = 0.70


def main() -> None:
    """Import, train, promote, turn the dial, post, and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--id-pattern", default=r"num_(\d+)", help="names the tile in a file name; its shots stay on one side")
    arguments = parser.parse_args()

    line = make_line(arguments.folder, arguments.id_pattern)
    started = time.monotonic()
    run = train(line)
    seconds = time.monotonic() - started
    threshold = pick_threshold(line, run)
    automated, right, posted = automate(line, run, threshold)
    auroc = run.evaluation["candidate"]["defect_auroc"]
    accuracy = run.evaluation["candidate"]["accuracy"]

    table = Table(title=f"{arguments.folder.name}: {posted} test photos posted in partial")
    table.add_column("figure")
    table.add_column("value", justify="right")
    table.add_column("95 % interval")
    table.add_row("defect AUROC", f"{auroc['value']:.4f}", f"{auroc['low']:.4f} to {auroc['high']:.4f}")
    table.add_row("accuracy, all classes", f"{accuracy['value']:.4f}", f"{accuracy['low']:.4f} to {accuracy['high']:.4f}")
    table.add_row("threshold of every class", f"{threshold:.4f}", "")
    table.add_row("automated share", f"{automated / posted:.4f}", f"{automated} of {posted}")
    table.add_row("automated and right", f"{right / max(automated, 1):.4f}", f"{right} of {automated}")
    table.add_row("training, seconds", f"{seconds:.1f}", "")
    console.print(table)
    figures = {
        "auroc": round(auroc["value"], 4),
        "automated_correct": round(right / max(automated, 1), 4),
        "automated_share": round(automated / posted, 4),
        "seconds": round(seconds, 1),
    }
    print(json.dumps(figures))


def make_line(folder: Path, id_pattern: str) -> Line:
    """Make a line of the folder's classes and import its photos."""
    classes = find_classes(folder)
    drafts = [ClassDraft(name, name.capitalize()) for name in classes]
    draft = Draft(Mode.HUMAN_ONLY, audit_rate=0.0)
    line = create_line("tiles", "Tiles", "Is there a defect?", drafts, draft, now=timezone.now())
    photos = find_photos(folder, classes, id_pattern)
    with bar(f"Importing {len(photos)} photos") as progress:
        done = import_photos(
            line, photos, actor="benchmark", progress=lambda n: progress.advance(progress.task_ids[0], n / len(photos))
        )
    console.print(f"{done.added} imported, {len(done.refused)} refused")
    return line


def train(line: Line) -> TrainingRun:
    """Train as the worker does, and make the candidate champion."""
    run = request_training(line, by=None, reason="benchmark", now=timezone.now())
    with bar("Training") as progress:
        run = work_on(run, report=shower(progress))
    if run.model_version is None:
        raise SystemExit(f"The training failed: {run.error}")
    deployments.deploy(line, run.model_version, Role.CHAMPION, by=None, reason="benchmark", now=timezone.now())
    return run


def pick_threshold(line: Line, run: TrainingRun) -> float:
    """Return the threshold that a careful manager would set from the validation split, by the rule above."""
    examples = [one for one in examples_of(run.dataset) if one.split == "validation"]
    classes = list(line.classes.order_by("position").values_list("key", flat=True))
    seen = evaluation.evaluate(runtimes.load(run.model_version), examples, classes, lambda share, stage: None)["examples"]
    scored = sorted(((max(one["probabilities"].values()), _right(one)) for one in seen), reverse=True)
    best, right = 1.0, 0
    for count, (score, is_right) in enumerate(scored, start=1):
        right += is_right
        if count <= MOST_AUTOMATED * len(scored) and right >= RIGHT_ON_VALIDATION * count:
            best = score
    return min(best, 1.0)


def automate(line: Line, run: TrainingRun, threshold: float) -> tuple[int, int, int]:
    """Turn the dial to partial, post the test split like a camera; return (automated, automated and right, posted)."""
    policy = active_policy(line)
    thresholds = dict.fromkeys(line.classes.values_list("key", flat=True), threshold)
    draft = replace(draft_of(policy), mode=Mode.PARTIAL, thresholds=thresholds)
    change_policy(line, draft, expected=policy.number, by=None, reason="benchmark", now=timezone.now())
    _, secret = create_token("benchmark", scopes=list(SCOPES), line=line, by=None, now=timezone.now())
    camera = Client(headers={"Authorization": f"Bearer {secret}"})
    automated = right = posted = 0
    for row in rows_of(run.dataset):
        if row["split"] != "test":
            continue
        response = camera.post(f"/api/v1/lines/{line.slug}/items", media.load(row["photo"]), content_type=row["media_type"])
        answer = response.json()
        posted += 1
        if answer["route"] == "automate":
            automated += 1
            right += answer["decision"] == row["answer"]
    return automated, right, posted


def _right(one: dict[str, object]) -> bool:
    probabilities = one["probabilities"]
    return max(probabilities, key=probabilities.get) == one["truth"]  # type: ignore[union-attr, call-overload, attr-defined]


if __name__ == "__main__":
    main()
