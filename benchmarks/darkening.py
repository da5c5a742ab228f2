"""The camera is darkened: a line with a trained model is certified, put into partial, and takes its automation back by itself.

    python benchmarks/darkening.py [DIR]

Without DIR the photos are the demo's rendered phones. DIR has a folder a class (`free` is good) with a .jpg a photo: one half
of its tiles is imported and trained on, the other half streamed, each photo again and again with a small shift. Nothing is a
stand-in but the people: two inspectors who know the truth of what they claim. The clock's task is called after every few
posts. The last line of the output is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import scratch

scratch.begin()

from django.conf import settings  # noqa: E402
from django.contrib.auth.models import User  # noqa: E402
from django.test import Client  # noqa: E402
from django.utils import timezone  # noqa: E402
from rich.console import Console  # noqa: E402
from rich.table import Table  # noqa: E402
from shots import DARK_PHONES, DARK_TILES, STREAM_DEFECTS, Phones, Shot, Take, Tiles  # noqa: E402

from gateway import change_control, deployments  # noqa: E402
from gateway.celery import app  # noqa: E402
from gateway.models import Item, Role  # noqa: E402
from gateway.tokens import SCOPES, create_token  # noqa: E402
from monitoring import tasks  # noqa: E402
from monitoring.certifying import certify_line  # noqa: E402
from monitoring.demo.phones import CLASSES, plan  # noqa: E402
from monitoring.models import Alarm, KnownTruth, Recall  # noqa: E402
from policies.changes import Draft, active_policy, draft_of  # noqa: E402
from policies.lines import ClassDraft, create_line  # noqa: E402
from policies.models import Certification, LimitForm, Line, RequestState  # noqa: E402
from policies.modes import Mode  # noqa: E402
from review import claims  # noqa: E402
from review.answers import Answer  # noqa: E402
from review.importing import Labelled, find_classes, find_photos, import_photos  # noqa: E402
from review.judging import judge  # noqa: E402
from review.models import Label, TrainingRun  # noqa: E402
from review.training import request_training, work_on  # noqa: E402

console = Console()
# Modest, so that some hundreds of items can prove them.
ESCAPE, OVERKILL, WRONG_DEFECT, DELTA = 0.08, 0.10, 0.25, 0.10
AUDIT_RATE = 0.5
# The drift watch takes 800 photos to know what is usual, and 200 to compare with them.
SHADOW_ITEMS, QUIET_ITEMS, MOST_DARK = 800, 300, 1500
# Posts between two ticks of the clock.
TICK = 5
TRAINING_PHONES, TRAINING_DEFECTS = 420, 0.55


class Station:
    """The camera, the two inspectors and the clock of one line."""

    def __init__(self, line: Line, take: Take, pool: ProcessPoolExecutor) -> None:
        self.line, self._take, self._pool = line, take, pool
        self._people = [User.objects.create_user(name) for name in ("ines", "noor")]
        _, secret = create_token("camera", scopes=list(SCOPES), line=line, by=None, now=timezone.now())
        self._camera = Client(headers={"Authorization": f"Bearer {secret}"})
        self._next = 1_000_000

    def shots(self, count: int, *, dark: bool = False) -> Iterator[dict[str, Any]]:
        """Post `count` photos one after the other, each time with what people and clock do then; yield the answers."""
        ahead: list[Future[Shot]] = []
        for sent in range(count):
            while len(ahead) < min(12, count - sent):
                ahead.append(self._pool.submit(self._take, self._next, dark))
                self._next += 1
            answer = self.post(ahead.pop(0).result())
            self.people()
            if sent % TICK == TICK - 1:
                self.tick()
            yield answer

    def post(self, shot: Shot) -> dict[str, Any]:
        """Post one photo through the API and note its truth."""
        response = self._camera.post(f"/api/v1/lines/{self.line.slug}/items", shot.jpeg, content_type="image/jpeg")
        if response.status_code >= 300:
            raise SystemExit(f"The photo was not taken: {response.content!r}")
        answer: dict[str, Any] = response.json()
        item = Item.objects.latest("id")
        KnownTruth.objects.create(item=item, truth=shot.truth, visibility=0.0 if shot.truth in {"ok", "free"} else 1.0)
        return answer

    def people(self) -> None:
        """Let the inspectors judge what waits, one claim after the other."""
        for person in self._people:
            for claim in claims.take(self.line, person, want=4, now=timezone.now()):
                truth = KnownTruth.objects.get(item=claim.referral.item_id).truth
                key = f"{person.username}-{claim.pk}"
                judge(person, claim.pk, Answer(truth), idempotency_key=key, now=timezone.now())

    def tick(self) -> None:
        """Do what the clock does: nobody turns anything here."""
        tasks.watch_guardrails()
        tasks.open_recalls()


def main() -> None:
    """Train, certify, automate, go on quietly, darken, and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?")
    folder = parser.parse_args().folder
    started = time.monotonic()
    # The clock's tasks send others to the worker; here they run at once.
    app.conf.task_always_eager = True
    # Forked before the model's threads begin.
    with ProcessPoolExecutor(2, mp_context=get_context("fork")) as pool:
        pool.submit(plan, 0, 0.1).result()
        line, take, source = tiles_line(folder) if folder else phones_line(pool)
        story(Station(line, take, pool), train(line), source, started)


def story(station: Station, run: TrainingRun, source: str, started: float) -> None:
    """Run the whole of it on a trained line, print the table and the JSON object."""
    line = station.line
    rows: list[tuple[str, str]] = [("photos", source)]
    rows.append(("defect AUROC on the test split", f"{run.evaluation['candidate']['defect_auroc']['value']:.3f}"))
    turn(line, Mode.SHADOW, {}, reason="Watch the model before it decides anything")
    posted = sum(1 for _ in station.shots(SHADOW_ITEMS))
    found = certify_line(line, deployments.champion(line), by=None, now=timezone.now())  # type: ignore[arg-type]
    rows += [("shadow, all judged blind", f"{posted} items"), *proved(found)]
    turn(line, Mode.PARTIAL, found.thresholds, reason="As certified", certification=found)
    rows.append(("asked for, approved by another, applied", f"{active_policy(line).mode}, audit rate {AUDIT_RATE:.0%}"))

    answers = list(station.shots(QUIET_ITEMS))
    quiet_alarms = Alarm.objects.filter(line=line).count()
    rows.append(("quiet stretch", f"{len(answers)} items, {automated(answers)} automated, {quiet_alarms} alarms"))
    rows.append(("  wrong among the automated", f"{wrong_since(line, len(answers))}"))

    dark: list[dict[str, Any]] = []
    for answer in station.shots(MOST_DARK, dark=True):
        dark.append(answer)
        if active_policy(line).mode != Mode.PARTIAL:
            break
    alarm = Alarm.objects.filter(line=line, demoted_to__isnull=False).select_related("policy", "demoted_to").first()
    audits = dark_audits(line, len(dark))
    rows.append(("in the dark until the demotion", f"{len(dark)} items, {automated(dark)} automated, {audits} audits judged"))
    rows.append(("  wrong among the automated", f"{wrong_since(line, len(dark))}"))
    if alarm:
        rows.append(("alarm", f"{alarm.watch}: {alarm.evidence['words']}"))
        rows.append(("the dial, turned by the guardrail", f"{alarm.policy.mode} to {alarm.demoted_to.mode}"))  # type: ignore[union-attr]
    after = next(station.shots(1, dark=True))
    rows.append(("the next item", f"goes to {'a person' if after['route'] == 'refer' else 'the model'} ({after['reason']})"))
    rows.append(("recalls opened", str(Recall.objects.filter(line=line).count())))
    rows.append(("seconds in all", f"{time.monotonic() - started:.0f}"))
    show(rows)
    figures = {
        "certified": bool(found.thresholds),
        "quiet_items": len(answers),
        "quiet_alarms": quiet_alarms,
        "darkened_items_to_demotion": len(dark) if alarm else None,
        "audits_to_demotion": audits if alarm else None,
        "alarm": alarm.watch if alarm else None,
        "mode_after": active_policy(line).mode,
    }
    print(json.dumps(figures))


def phones_line(pool: ProcessPoolExecutor) -> tuple[Line, Take, str]:
    """Make a line of rendered phones and import those that the model learns from."""
    folder = Path(settings.VAR_DIR) / "phones"
    phones = Phones()
    shots = pool.map(phones, range(TRAINING_PHONES), [False] * TRAINING_PHONES, [TRAINING_DEFECTS] * TRAINING_PHONES)
    for number, shot in enumerate(shots):
        path = folder / shot.truth / f"{number:05d}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(shot.jpeg)
    line = make_line("phones", list(CLASSES), find_photos(folder, CLASSES))
    return line, phones, f"rendered phones, {STREAM_DEFECTS:.0%} defective; dark is {DARK_PHONES} of the light"


def tiles_line(folder: Path) -> tuple[Line, Take, str]:
    """Make a line of a folder's tiles, import one half of them, and stream the other; shots of one tile stay together."""
    classes = find_classes(folder)
    photos = find_photos(folder, classes, r"num_(\d+)")
    units = sorted({photo.external_id for photo in photos})
    half = set(np.random.default_rng(17).permutation(units)[: len(units) // 2].tolist())
    line = make_line("tiles", classes, [photo for photo in photos if photo.external_id in half])
    rest = tuple(photo for photo in photos if photo.external_id not in half)
    return line, Tiles(rest), f"{len(rest)} tiles not trained on, drawn again and again; dark is x {DARK_TILES}"


def make_line(slug: str, classes: list[str], photos: list[Labelled]) -> Line:
    """Make the line with its limits and import its labelled photos. The negative class is the first."""
    drafts = [ClassDraft(name, name.capitalize()) for name in classes]
    draft = Draft(Mode.HUMAN_ONLY, audit_rate=AUDIT_RATE)
    line = create_line(slug, slug.capitalize(), "Is there a defect?", drafts, draft, now=timezone.now())
    good, *defects = classes
    limits = {(good, LimitForm.ESCAPE.value): ESCAPE, (good, LimitForm.OVERKILL.value): OVERKILL}
    limits |= {(name, LimitForm.ESCAPE.value): WRONG_DEFECT for name in defects}
    change_control.state_limits(line, limits, delta=DELTA, by=None, now=timezone.now())
    done = import_photos(line, photos, actor="benchmark", progress=lambda count: None)
    console.print(f"{done.added} labelled photos imported")
    return line


def train(line: Line) -> TrainingRun:
    """Train as the worker does, and make the candidate champion."""
    run = work_on(request_training(line, by=None, reason="benchmark", now=timezone.now()), report=lambda share, stage: None)
    if run.model_version is None:
        raise SystemExit(f"The training failed: {run.error}")
    deployments.deploy(line, run.model_version, Role.CHAMPION, by=None, reason="benchmark", now=timezone.now())
    return run


def turn(
    line: Line, mode: Mode, thresholds: dict[str, float], *, reason: str, certification: Certification | None = None
) -> None:
    """Ask for a change as one manager and, where it takes that, agree to it as another."""
    max_, maya = (User.objects.get_or_create(username=name)[0] for name in ("max", "maya"))
    policy, now = active_policy(line), timezone.now()
    draft = replace(draft_of(policy), mode=mode, thresholds=thresholds)
    asked = change_control.ask(
        line, draft, expected=policy.number, by=max_, reason=reason, now=now, certification=certification
    )
    if asked.state == RequestState.OPEN:
        change_control.approve(asked, by=maya, now=timezone.now())


def proved(found: Certification) -> Iterator[tuple[str, str]]:
    """Yield a row of the table for each limit. Without a threshold there is no story to go on with."""
    for row in found.certificates.order_by("id"):
        limit = f"  {row.form} of {row.label} at most {row.epsilon:.0%}"
        yield limit, f"not certified, n = {row.n}" if row.bound is None else f"{row.k} of {row.n}, bound {row.bound:.3f}"
    named = ", ".join(f"{key} {threshold:.3f}" for key, threshold in found.thresholds.items())
    yield "certified thresholds", f"{named or 'none'} (1 - delta = {1 - DELTA:.0%})"
    yield "  automated at them", f"{found.automated} of {found.audits}"
    if not found.thresholds:
        raise SystemExit("Nothing could be certified.")


def automated(answers: list[dict[str, Any]]) -> int:
    """Return how many of the answers the model gave alone."""
    return sum(answer["route"] == "automate" for answer in answers)


def wrong_since(line: Line, count: int) -> str:
    """Return, of the last `count` items, the wrong ones among those that the model decided: what only the benchmark knows."""
    items = list(
        Item.objects.filter(line=line).order_by("-id").select_related("known_truth").prefetch_related("decisions")[:count]
    )
    said = [(min(item.decisions.all(), key=lambda one: one.number).answer, item) for item in items if item.route == "automate"]
    return f"{sum(answer != item.known_truth.truth for answer, item in said)} of {len(said)}"


def dark_audits(line: Line, count: int) -> int:
    """Return how many of the last `count` items were drawn for the audit, automated, and judged blind."""
    last = list(Item.objects.filter(line=line).order_by("-id").values_list("pk", flat=True)[:count])
    judged = Label.standing.filter(item__in=last, item__in_audit=True, item__route="automate", blind=True)
    return judged.count()


def show(rows: list[tuple[str, str]]) -> None:
    """Print the story."""
    table = Table(title="The camera is darkened", show_header=False)
    table.add_column("step")
    table.add_column("what happened", overflow="fold")
    for row in rows:
        table.add_row(*row)
    console.print(table)


if __name__ == "__main__":
    main()
