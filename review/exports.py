"""Dataset versions for programs elsewhere, streamed row by row: JSONL, COCO JSON, a zip with a folder a class."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

from gateway import media
from policies.models import Line
from review.datasets import rows_of
from review.models import DatasetVersion

ENDINGS = {"image/jpeg": "jpg", "image/png": "png", "image/webp": "webp"}


def as_jsonl(version: DatasetVersion) -> Iterator[bytes]:
    """Yield the manifest, one JSON object a line."""
    for row in rows_of(version):
        yield json.dumps(row, sort_keys=True).encode() + b"\n"


def as_coco(version: DatasetVersion) -> Iterator[bytes]:
    """Yield a COCO document: images with their class and split, a bounding box in pixels for every region drawn."""
    names = _class_names(version.line)
    numbers = {key: number for number, key in enumerate(names, start=1)}
    categories = [{"id": numbers[key], "name": key, "supercategory": version.line.slug} for key in names]
    info = {"description": f"{version.line.name}, dataset {version.number}", "version": version.digest}
    yield b'{"info": ' + json.dumps(info).encode() + b', "categories": ' + json.dumps(categories).encode() + b', "images": ['
    yield from _joined(_coco_image(number, row, numbers) for number, row in enumerate(rows_of(version), start=1))
    yield b'], "annotations": ['
    yield from _joined(_coco_boxes(rows_of(version), numbers))
    yield b"]}\n"


def as_zip(version: DatasetVersion) -> Iterator[bytes]:
    """Yield a zip: split/class/photo, masks beside them, and the manifest. Nothing larger than a photo is held in memory.

    What is no longer kept does not cost the rest: where there is such, missing.txt names it, a file a line.
    """
    sink, missing = _Sink(), []
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_STORED) as archive:
        for row in rows_of(version):
            for name, digest in _files(row):
                try:
                    archive.writestr(zipfile.ZipInfo(name), media.load(digest))
                except OSError:
                    missing.append(name)
            yield sink.taken()
        if missing:
            archive.writestr(zipfile.ZipInfo("missing.txt"), "".join(f"{name}\n" for name in missing))
        with archive.open(zipfile.ZipInfo("manifest.jsonl"), "w") as manifest:
            for line in as_jsonl(version):
                manifest.write(line)
                yield sink.taken()
    yield sink.taken()


FORMATS: dict[str, tuple[str, str, Callable[[DatasetVersion], Iterator[bytes]]]] = {
    "jsonl": ("application/x-ndjson", "jsonl", as_jsonl),
    "coco": ("application/json", "json", as_coco),
    "zip": ("application/zip", "zip", as_zip),
}


def file_name(row: dict[str, Any]) -> str:
    """Return where a photo lies in the zip, and what COCO calls it."""
    return f"{row['split']}/{row['answer']}/{row['item']}.{ENDINGS.get(row['media_type'], 'bin')}"


def _files(row: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield where a row's photo and mask lie in the zip, each with its digest."""
    yield file_name(row), row["photo"]
    if row["mask"]:
        yield file_name(row).rsplit(".", 1)[0] + ".mask.png", row["mask"]


class _Sink(io.RawIOBase):
    """A file that zipfile can write to and that gives away what was written."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._parts.append(bytes(data))
        return len(data)

    def taken(self) -> bytes:
        """Return what came since the last call."""
        parts, self._parts = self._parts, []
        return b"".join(parts)


def _class_names(line: Line) -> list[str]:
    return list(line.classes.order_by("position").values_list("key", flat=True))


def _coco_image(number: int, row: dict[str, Any], numbers: dict[str, int]) -> dict[str, Any]:
    return {
        "id": number,
        "file_name": file_name(row),
        "width": row["width"],
        "height": row["height"],
        "category_id": numbers.get(row["answer"]),
        "split": row["split"],
        "sluice_item": row["item"],
        "inclusion_probability": row["inclusion_probability"],
    }


def _coco_boxes(rows: Iterator[dict[str, Any]], numbers: dict[str, int]) -> Iterator[dict[str, Any]]:
    count = 0
    for image, row in enumerate(rows, start=1):
        for region in row["regions"]:
            count += 1
            width, height = region["width"] * row["width"], region["height"] * row["height"]
            yield {
                "id": count,
                "image_id": image,
                "category_id": numbers.get(region["label"]),
                "bbox": [round(value, 2) for value in (region["x"] * row["width"], region["y"] * row["height"], width, height)],
                "area": round(width * height, 2),
                "iscrowd": 0,
            }


def _joined(rows: Iterator[dict[str, Any]]) -> Iterator[bytes]:
    separator = b"\n"
    for row in rows:
        yield separator + json.dumps(row).encode()
        separator = b",\n"
