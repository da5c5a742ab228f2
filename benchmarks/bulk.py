"""The door for archives beside its floor: a tar of photos in, a durable decision and a line out for each.

    python benchmarks/bulk.py [--photos 1500] [--rounds 3] [--models "50 MMAC,default"]

The floor is decode and forward in a bare loop (`floor.py`). Both sides run in turn, so that what else the machine does hits
both. Ratios are of photos a CPU-second of the server; the client's CPU counts for nobody. Every photo is a new one, every line
is read, and everything that was answered is looked for in the database. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import http.client
import io
import json
import statistics
import tarfile
import threading
import time
from collections.abc import Iterator
from contextlib import closing

import floor  # begins a scratch Sluice
import small_model
from road import LINES, make_line, sluice
from servers import Side, Window, cpu_of, peak_mb

from gateway.models import Item

# Bytes sent at a time.
PIECE = 1024 * 1024


def archive(photos: list[bytes], count: int, salt: str) -> bytes:
    """Return a tar of so many photos; each has its own number behind its end, so that none is stored twice."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for number in range(count):
            data = photos[number % len(photos)] + f"{salt}-{number}".encode()
            info = tarfile.TarInfo(f"{number:06d}.jpg")
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return out.getvalue()


def send(side: Side, body: bytes) -> tuple[list[dict[str, object]], float]:
    """Send an archive in chunks, as a pipe does, and read the lines meanwhile; return them and the seconds it took."""
    with closing(http.client.HTTPConnection("127.0.0.1", side.port, timeout=600)) as connection:
        begun = time.monotonic()
        connection.putrequest("POST", side.path)
        for name, value in {**side.headers, "Content-Type": "application/x-tar", "Transfer-Encoding": "chunked"}.items():
            connection.putheader(name, value)
        connection.endheaders()
        sender = threading.Thread(target=_send, args=(connection, body))
        sender.start()
        response = connection.getresponse()
        lines = response.read().splitlines()
        sender.join()
        return [json.loads(line) for line in lines], time.monotonic() - begun


def _send(connection: http.client.HTTPConnection, body: bytes) -> None:
    for part in _pieces(body):
        connection.send(b"%x\r\n%b\r\n" % (len(part), part))
    connection.send(b"0\r\n\r\n")


def _pieces(body: bytes) -> Iterator[bytes]:
    for start in range(0, len(body), PIECE):
        yield body[start : start + PIECE]


def measure(side: Side, body: bytes, count: int) -> Window:
    """Send one archive and return what it took; nothing may be missing."""
    before = cpu_of(side)
    lines, seconds = send(side, body)
    cpu = cpu_of(side) - before
    assert lines[-1].get("complete"), lines[-1]
    ids = {line["item"]["id"] for line in lines[:-1]}  # type: ignore[index]
    assert len(ids) == count, f"{len(ids)} of {count} photos were taken"
    found = sum(Item.objects.filter(pk__in=list(ids)[start : start + 500]).count() for start in range(0, count, 500))
    assert found == count, f"{count - found} answered items are not there"
    return Window(count, seconds, cpu, 0.0, 0.0, {"201": count}, ())


def main() -> None:
    """Run both sides in turn for each model and each durability, and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=int, default=1500, help="in an archive")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--models", default="50 MMAC,default")
    arguments = parser.parse_args()
    photos, rows = small_model.photos(), {}
    for title in arguments.models.split(","):
        slug, backbone = LINES[title]
        token, work = make_line(slug, backbone), floor.fastest_loop(backbone)
        for sync in ("NORMAL", "FULL"):
            name = f"{title}, synchronous={sync}"
            with sluice(token, slug, name, {"SQLITE_SYNCHRONOUS": sync}) as posts:
                side = Side(name, posts.port, f"{posts.path}/archive", posts.process, posts.headers)
                measure(side, archive(photos, 64, f"{name}-warm"), 64)
                floors, windows = [], []
                for number in range(arguments.rounds):
                    body = archive(photos, arguments.photos, f"{name}-{number}")
                    floors.append(floor.rate(work, photos, 2))
                    windows.append(measure(side, body, arguments.photos))
                rows[name] = show(name, windows, floors, peak_mb(side))
    small = [row["vs_floor"] for name, row in rows.items() if name.startswith("50 MMAC")]
    print(json.dumps({"bulk_vs_floor": min(small, default=None), "rows": rows}))


def show(name: str, windows: list[Window], floors: list[float], memory: float) -> dict[str, float]:
    """Print a row and return its figures."""
    figures = {
        "vs_floor": statistics.median(w.a_cpu_second / f for w, f in zip(windows, floors, strict=True)),
        "a_second": statistics.median(w.a_second for w in windows),
        "cpu_ms": 1000 / statistics.median(w.a_cpu_second for w in windows),
        "floor_cpu_ms": 1000 / statistics.median(floors),
        "peak_mb": memory,
    }
    said = (
        f"{figures['a_second']:7.1f}/s {figures['cpu_ms']:6.2f} ms CPU (floor {figures['floor_cpu_ms']:5.2f}) {memory:6.0f} MB"
    )
    print(f"{name:<30} {figures['vs_floor']:6.3f} {said}", flush=True)
    return {key: round(value, 3) for key, value in figures.items()}


if __name__ == "__main__":
    main()
