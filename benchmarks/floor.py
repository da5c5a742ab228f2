"""The floor: decode and forward in a bare loop, as fast as it could be written. All else that a server does is overhead.

    python benchmarks/floor.py [--seconds 3]

Each way to decode and to compute is tried; the fastest pair, photo by photo, is the floor. Figures are images per CPU-second
of the loop (user and system), on one thread, and images per second of two processes at once. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import io
import json
import multiprocessing
import os
import resource
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import scratch

scratch.begin()

import cv2  # noqa: E402
import numpy as np  # noqa: E402
import onnxruntime  # noqa: E402
import simplejpeg  # noqa: E402
import small_model  # noqa: E402
import torch  # noqa: E402
from PIL import Image  # noqa: E402

from inference.vision import backbone  # noqa: E402
from inference.vision.export import to_onnx  # noqa: E402

SIDE = 224
Pixels = np.ndarray[Any, Any]
Decode = Callable[[bytes], Pixels]
Forward = Callable[[Pixels], Any]
MODELS = {"50 MMAC": small_model.NAME, "default": backbone.choose()}


def simplejpeg_cv2(data: bytes) -> Pixels:
    """Scale while decoding to no less than the size wanted, then resize."""
    picture = simplejpeg.decode_jpeg(data, fastdct=True, fastupsample=True, min_height=SIDE, min_width=SIDE, min_factor=1)
    return cv2.resize(picture, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR)


def pillow(data: bytes) -> Pixels:
    """Pillow's draft mode and its resizing."""
    image = Image.open(io.BytesIO(data))
    image.draft("RGB", (SIDE, SIDE))
    return np.array(image.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BILINEAR))


DECODERS: dict[str, Decode] = {"simplejpeg+cv2": simplejpeg_cv2, "pillow draft": pillow}


def with_onnxruntime(name: str) -> Forward:
    """Return the model's forward pass on ONNX Runtime, one thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    graph = to_onnx(small_model.network(name), SIDE)
    session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    return lambda pixels: session.run(None, {"pixels": pixels})


def with_torch(name: str) -> Forward:
    """Return the model's forward pass in eager torch, one thread."""
    torch.set_num_threads(1)
    network = small_model.network(name)

    def forward(pixels: Pixels) -> Any:
        with torch.inference_mode():
            return network(torch.from_numpy(pixels))

    return forward


RUNTIMES: dict[str, Callable[[str], Forward]] = {"onnxruntime": with_onnxruntime, "torch": with_torch}


def cpu_seconds() -> float:
    """Return the CPU seconds of this process so far, in user and in system mode."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def rate(work: Callable[[bytes], Any], photos: Sequence[bytes], seconds: float) -> float:
    """Return how many photos `work` does in a CPU-second, over about so many wall seconds."""
    work(photos[0])
    begun, deadline, done = cpu_seconds(), time.monotonic() + seconds, 0
    while time.monotonic() < deadline:
        for photo in photos:
            work(photo)
        done += len(photos)
    return done / (cpu_seconds() - begun)


def loop(decode: Decode, forward: Forward) -> Callable[[bytes], Any]:
    """Return the bare loop's body: a photo to its scores."""
    return lambda photo: forward(decode(photo)[np.newaxis])


def fastest_loop(name: str) -> Callable[[bytes], Any]:
    """Return the loop that measured fastest on every machine so far; other benchmarks compare against it."""
    return loop(simplejpeg_cv2, with_onnxruntime(name))


def _in_process(name: str, seconds: float, start: Any, done: Any) -> None:
    work, photos = fastest_loop(name), small_model.photos()
    work(photos[0])
    start.wait()
    begun, count = cpu_seconds(), 0
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        work(photos[count % len(photos)])
        count += 1
    done.put((count, cpu_seconds() - begun))


def two_processes(name: str, seconds: float) -> tuple[float, float]:
    """Return images a wall second and a CPU-second of two processes at once."""
    context = multiprocessing.get_context("fork")
    start, done = context.Barrier(2), context.Queue()
    workers = [context.Process(target=_in_process, args=(name, seconds, start, done)) for _ in range(2)]
    for worker in workers:
        worker.start()
    found = [done.get(timeout=120) for _ in workers]
    for worker in workers:
        worker.join()
    total = sum(count for count, _ in found)
    return total / seconds, total / sum(cpu for _, cpu in found)


def main() -> None:
    """Try every pair, interleaved, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=1.0, help="of each window")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    photos = small_model.photos()
    print(f"{len(photos)} photos of {min(map(len, photos)):,} to {max(map(len, photos)):,} bytes", file=sys.stderr)
    figures: dict[str, float] = {}
    # Two processes first: a process that has run threads of its own is no good parent.
    for title, name in MODELS.items():
        wall, cpu = two_processes(name, 2 * arguments.seconds)
        figures |= {f"{title}: two processes, a second": wall, f"{title}: two processes, a CPU-second": cpu}
    bodies = {f"decode alone, {way}": decode for way, decode in DECODERS.items()}
    for title, name in MODELS.items():
        for runtime, make in RUNTIMES.items():
            bodies |= {f"{title}: {way}, {runtime}": loop(decode, make(name)) for way, decode in DECODERS.items()}
    seen: dict[str, list[float]] = {what: [] for what in bodies}
    for _ in range(arguments.rounds):
        for what, body in bodies.items():
            seen[what].append(rate(body, photos, arguments.seconds))
    figures |= {what: statistics.median(rates) for what, rates in seen.items()}
    for what, found in figures.items():
        print(f"{what:<44} {found:8.1f}   {1000 / found:6.2f} ms")
    print(json.dumps({what: round(found, 1) for what, found in figures.items()}))


if __name__ == "__main__":
    main()
