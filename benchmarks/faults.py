"""What is lost when something breaks: kill -9, a full disk, a hanging model, in the middle of posts and judgements.

    python benchmarks/faults.py [--rounds 20] [--postgresql] [--only web worker ...]
    python benchmarks/faults.py --sum LOG ...

Three cameras post, two inspectors judge, a webhook listens; each fault strikes so many times while they go on. The town is
whole again when photos and answers are acknowledged and the webhook is told of something that happened after the mending.
Afterwards everything that was acknowledged is counted. The full disk needs a small file system of its own, which takes the
right to mount one. The last line of the output is one JSON object; `--sum` adds those of several runs.
"""

from __future__ import annotations

import argparse
import atexit
import json
import os
import subprocess
import tempfile
import time
from collections import Counter
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import scratch

if TYPE_CHECKING:
    from faulty.postgres import Postgres
    from faulty.town import Town

# Acknowledged before a blow, so that it falls into the middle of a stream, and after it, so that the town is whole.
BEFORE, AFTER = (6, 2), (4, 1)
WHOLE_SECONDS = 120.0
# Deliveries that failed are tried again after seconds and then minutes.
DELIVERED_SECONDS = 420.0
DISK = "512m"


def main() -> None:
    """Run the faults and print what was lost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--postgresql", action="store_true", help="on PostgreSQL instead of SQLite")
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--sum", nargs="+", metavar="LOG", default=[], help="run nothing: add up what these runs ended with")
    chosen = parser.parse_args()
    if chosen.sum:
        _sum(chosen.sum)
        return
    # Not on the small disk: a full one is the gateway's trouble here, not the database server's.
    outside = Path(tempfile.gettempdir())
    bounded = _small_disk()
    database = _database(outside) if chosen.postgresql else None
    os.environ |= {"MODEL_TIMEOUT_SECONDS": "2", "CLAIM_SECONDS": "10", "LOG_LEVEL": "WARNING"}
    os.environ |= {
        "ALLOWED_HOSTS": "testserver,127.0.0.1",
        "WEBHOOK_ALLOWED_NETWORKS": "127.0.0.0/8",
        "WEBHOOK_ALLOW_HTTP": "true",
    }
    scratch.begin()
    _run(chosen.rounds, chosen.only, database, bounded)


def _run(rounds: int, only: list[str], database: Postgres | None, bounded: bool) -> None:
    from faulty import ledger, strikes
    from faulty.town import Town
    from rich.console import Console
    from rich.progress import Progress
    from rich.table import Table

    console = Console()
    town = Town()
    table = Table(title=f"Faults on {'PostgreSQL' if database else 'SQLite'}, {rounds} rounds each")
    for head in ("fault", "rounds", "seconds until whole, median", "longest"):
        table.add_column(head, justify="left" if head == "fault" else "right")
    done = 0
    try:
        town.start()
        names = [name for name in strikes.FAULTS if not only or name in only]
        with Progress(console=console) as progress:
            for name in names:
                if why := strikes.possible(name, database, bounded):
                    table.add_row(name, "0", why, "")
                    continue
                task = progress.add_task(name, total=rounds)
                took = []
                for _ in range(rounds):
                    took.append(_round(town, name, database))
                    progress.advance(task)
                done += rounds
                console.print(f"{name}: whole after {', '.join(f'{seconds:.1f}' for seconds in took)} s")
                table.add_row(name, str(rounds), f"{median(took):.1f}", f"{max(took):.1f}")
        with console.status("") as status:
            begun = time.monotonic()
            missing = town.settle(
                DELIVERED_SECONDS, lambda open, untold: status.update(f"{open} referrals open, {untold} events untold")
            )
            settled = time.monotonic() - begun
        lost, twice, stuck = ledger.lost(town.ledger), ledger.twice(town.ledger), ledger.stuck()
    finally:
        town.close()
    console.print(table)
    items, judgements = town.ledger.progress()
    console.print(f"{items} items and {judgements} judgements acknowledged, {sum(town.receiver.received.values())} deliveries")
    console.print(f"queue empty and everybody told {settled:.0f} s after the last photo")
    for title, found in (("lost", lost), ("twice", twice), ("not delivered", missing), ("stuck", stuck)):
        for one in found[:20]:
            console.print(f"{title}: {one}")
    figures = {"lost": len(lost), "twice": len(twice), "webhooks_lost": len(missing), "stuck": len(stuck)}
    print(json.dumps({"rounds": done, **figures}))


def _round(town: Town, name: str, database: Postgres | None) -> float:
    """Strike once in the middle of the stream; return how long it took from the mending until the town was whole again."""
    from faulty import strikes

    from gateway.webhooks.horizon import last_seen

    start = town.ledger.progress()
    if not town.ledger.await_progress(start, *BEFORE, WHOLE_SECONDS):
        raise SystemExit(f"The town did not come to life before {name}.")
    with strikes.FAULTS[name](town, database):
        begun = time.monotonic()
    since, happened = town.ledger.progress(), last_seen()
    whole = town.ledger.await_progress(since, *AFTER, WHOLE_SECONDS) and town.receiver.await_later(happened, WHOLE_SECONDS)
    town.check()
    if not whole:
        raise SystemExit(f"The town did not become whole after {name}")
    return time.monotonic() - begun


def _sum(logs: list[str]) -> None:
    """Print the sum of the last lines of several runs."""
    total: Counter[str] = Counter()
    for log in logs:
        total.update(json.loads(Path(log).read_text().splitlines()[-1]))
    print(json.dumps(total))


def _small_disk() -> bool:
    """Put temporary files, and so the town, on a small file system of its own; False where it cannot be mounted."""
    folder = Path(tempfile.mkdtemp(prefix="sluice-disk-"))
    try:
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", str(folder)], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        return False
    atexit.register(subprocess.run, ["umount", "--lazy", str(folder)], check=False)
    # For the processes of the town too, which look for the broker's socket there.
    tempfile.tempdir = os.environ["TMPDIR"] = str(folder)
    return True


def _database(above: Path) -> Postgres:
    from faulty.postgres import Postgres

    database = Postgres(above)
    database.start()
    os.environ["DATABASE_URL"] = database.url
    return database


if __name__ == "__main__":
    main()
