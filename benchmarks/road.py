"""The main road beside its floor: photo in, durable decision out, authenticated and validated.

    python benchmarks/road.py [--seconds 4] [--rounds 3] [--peers litserve,mlserver,bentoml,fastapi]

The floor is decode and forward in a bare loop (`floor.py`). Both sides run in turn, so that what else the machine does hits
both. Ratios are of photos a CPU-second of the server; the client's CPU counts for nobody. With DATABASE_URL the database is the
one it names, and its processes' CPU is counted. Every photo is a new one. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import floor  # begins a scratch Sluice
import small_model
from django.conf import settings
from django.utils import timezone
from peer_sides import PACKAGES, peer
from servers import HERE, Side, Window, free_port, load, peak_mb, running

from gateway import deployments
from gateway.management.commands import serve
from gateway.models import Item, Role
from gateway.tokens import create_token
from inference.models import ModelVersion
from inference.vision.export import to_onnx
from policies.changes import Draft
from policies.lines import ClassDraft, create_line
from policies.modes import Mode

LINES = {"50 MMAC": ("small", small_model.NAME), "default": ("default", floor.MODELS["default"])}
BATCH = 32


def make_line(slug: str, backbone: str) -> str:
    """Make a line whose model decides all but the audit sample, and return a camera's token."""
    drafts = [ClassDraft(key, key.capitalize()) for key in small_model.CLASSES]
    now = timezone.now()
    draft = Draft(Mode.PARTIAL, thresholds=dict.fromkeys(small_model.CLASSES, 0.01), audit_rate=0.02)
    line = create_line(slug, slug.capitalize(), "Is there a defect?", drafts, draft, now=now)
    version = ModelVersion.objects.create(
        name=f"benchmark-{slug}", kind="inspection", runtime=small_model.RUNTIME, classes=list(small_model.CLASSES),
        weights_digest=small_model.store(backbone), card={},
    )  # fmt: skip
    deployments.deploy(line, version, Role.CHAMPION, by=None, reason="benchmark", now=now)
    return create_token(f"camera-{slug}", scopes=["items:write", "items:read"], line=line, by=None, now=now)[1]


@contextmanager
def sluice(
    token: str, slug: str, name: str, env: dict[str, str], *, before: Sequence[str] = (), workers: int = 1
) -> Iterator[Side]:
    """Run the product's own web server; `before` goes before its command."""
    port = free_port()
    command = dict(serve._commands("127.0.0.1", port, with_conveyor=False))["web"]
    command[command.index("--workers") + 1] = str(workers)
    environment = serve._environment(f"http://127.0.0.1:{port}") | {
        "PYTHONPATH": str(HERE.parent), "SLUICE_VAR": str(settings.VAR_DIR), "ALLOWED_HOSTS": "127.0.0.1,localhost",
        "LOG_LEVEL": "ERROR", "TORCH_THREADS": "1", **env,
    }  # fmt: skip
    log = Path(settings.VAR_DIR) / f"{slug}.log"
    helpers = ("postgres",) if os.environ.get("DATABASE_URL", "").startswith("postgres") else ()
    with running([*before, *command], f"http://127.0.0.1:{port}/livez", environment, log) as process:
        headers = {"Authorization": f"Bearer {token}"}
        yield Side(name, port, f"/api/v1/lines/{slug}/items", process, headers, helpers=helpers)


def bulk(side: Side) -> Side:
    """Return the same server, posted to in batches."""
    return replace(
        side, path=f"{side.path}/batch", body={"body": "batch", "batch": BATCH}, name=f"{side.name}, batches of {BATCH}"
    )


def check_durable(window: Window) -> None:
    """Everything that was answered must be in the database."""
    ids = {json.loads(body)["id"] for body in window.bodies}
    assert len(ids) == window.photos, "an id was given twice"
    lost = ids - {str(pk) for pk in Item.objects.filter(pk__in=ids).values_list("pk", flat=True)}
    assert not lost, f"{len(lost)} answered items are not there"


def show(name: str, windows: list[Window], floors: list[float], wall: float, memory: float) -> dict[str, float]:
    """Print a row and return its figures."""
    statuses = {code: sum(w.statuses.get(code, 0) for w in windows) for w in windows for code in w.statuses}
    cpu, base = statistics.median(w.a_cpu_second for w in windows), statistics.median(floors)
    figures = {
        "vs_floor": statistics.median(w.a_cpu_second / f for w, f in zip(windows, floors, strict=True)),
        "vs_floor_wall": statistics.median(w.a_second for w in windows) / wall,
        "a_second": statistics.median(w.a_second for w in windows),
        "cpu_ms": 1000 / cpu,
        "p50_ms": statistics.median(w.p50_ms for w in windows),
        "p99_ms": statistics.median(w.p99_ms for w in windows),
        "peak_mb": memory,
    }
    print(
        f"{name:<34} {figures['vs_floor']:6.3f} {figures['vs_floor_wall']:6.2f} {figures['a_second']:8.1f}/s "
        f"{figures['cpu_ms']:6.2f} ms (floor {1000 / base:5.2f}) p50 {figures['p50_ms']:6.1f} p99 {figures['p99_ms']:6.1f} ms "
        f"{memory:6.0f} MB {statuses}"
    )
    return {key: round(value, 3) for key, value in figures.items()}


def main() -> None:
    """Run every side in turn and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=4.0, help="of each window")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--models", default="50 MMAC,default")
    parser.add_argument("--only", default="", help="rows whose name has this")
    parser.add_argument("--peers", default="", help=f"servers that store nothing, of {', '.join(PACKAGES)}; each takes a venv")
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(dir=settings.VAR_DIR))
    photos = small_model.photos()
    for number, photo in enumerate(photos):
        (folder / f"{number:02d}.jpg").write_bytes(photo)
    chosen = {title: LINES[title] for title in arguments.models.split(",")}
    tokens = {title: make_line(slug, name) for title, (slug, name) in chosen.items()}
    walls = {title: floor.two_processes(name, arguments.seconds)[0] for title, (_, name) in chosen.items()}
    results: dict[str, dict[str, float]] = {}
    for title, (slug, backbone) in chosen.items():
        work = floor.fastest_loop(backbone)
        with ExitStack() as stack:
            sides = [
                stack.enter_context(sluice(tokens[title], slug, f"{title}, durability {sync}", {"DURABILITY": sync}))
                for sync in ("normal", "full")
            ]
            rows = [(side, c, f"{side.name}, c{c}") for side in sides for c in (16, 64)]
            rows += [(bulk(side), 4, f"{bulk(side).name}, c4") for side in sides]
            rows = [row for row in rows if arguments.only in row[2]]
            windows: dict[str, list[Window]] = {row[2]: [] for row in rows}
            floors: dict[str, list[float]] = {row[2]: [] for row in rows}
            for side in sides:
                check_durable(load(side, folder, concurrency=16, seconds=1, keep=True))
            for _ in range(arguments.rounds):
                for side, concurrency, name in rows:
                    floors[name].append(floor.rate(work, photos, min(arguments.seconds, 2)))
                    windows[name].append(load(side, folder, concurrency=concurrency, seconds=arguments.seconds))
            for side, _, name in rows:
                results[name] = show(name, windows[name], floors[name], walls[title], peak_mb(side))
    ratios = beside_peers(arguments, folder, photos, tokens) if arguments.peers else {}
    print(json.dumps(summary(results) | ratios))


def beside_peers(arguments: argparse.Namespace, folder: Path, photos: list[bytes], tokens: dict[str, str]) -> dict[str, float]:
    """Run the product beside each peer in turn, and return its photos a CPU-second over the peer's."""
    title = next(iter(tokens))
    slug, backbone = LINES[title]
    graph = folder / "model.onnx"
    graph.write_bytes(to_onnx(small_model.network(backbone), floor.SIDE))
    ratios: dict[str, float] = {}
    with sluice(tokens[title], slug, "sluice", {"DURABILITY": "full"}) as ours:
        for name in arguments.peers.split(","):
            with peer(name, graph) as theirs:
                first = load(theirs, folder, concurrency=16, seconds=1)
                assert set(first.statuses) == {"200"}, f"{name} answered {first.statuses}"
                pairs = [
                    [load(side, folder, concurrency=16, seconds=arguments.seconds) for side in (ours, theirs)]
                    for _ in range(arguments.rounds)
                ]
                ratios[f"vs_{name}"] = round(statistics.median(us.a_cpu_second / it.a_cpu_second for us, it in pairs), 3)
                ratios[f"vs_{name}_wall"] = round(statistics.median(us.a_second / it.a_second for us, it in pairs), 3)
                base = [floor.rate(floor.fastest_loop(backbone), photos, 1.0)] * len(pairs)
                show(name, [it for _, it in pairs], base, pairs[0][0].a_second, peak_mb(theirs))
    return ratios


def summary(results: dict[str, dict[str, float]]) -> dict[str, object]:
    """Return the figures that the goals are about, and beside them all rows."""
    singles = [row["vs_floor"] for name, row in results.items() if name.startswith("50 MMAC") and "batches" not in name]
    bulks = [row["vs_floor"] for name, row in results.items() if name.startswith("50 MMAC") and "batches" in name]
    return {"single_vs_floor": min(singles, default=None), "bulk_vs_floor": min(bulks, default=None), "rows": results}


if __name__ == "__main__":
    sys.exit(main())
