"""Datasets for programs elsewhere: what comes out can be read by the programs that read such files."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Iterator
from datetime import datetime
from types import GeneratorType

import pytest
from django.contrib.auth.models import User
from django.test import Client

from gateway import media
from policies.models import Line
from review import exports
from review.datasets import freeze, rows_of
from review.models import DatasetVersion, Label
from tests.review.people import arrive, judge

ANSWERS = ("ok", "dent", "scratch", "dent", "ok")
BOXES = [
    {"label": "dent", "x": 0.25, "y": 0.5, "width": 0.5, "height": 0.25},
    {"label": "scratch", "x": 0.0, "y": 0.0, "width": 1.0, "height": 1.0},
]


@pytest.fixture
def dataset(line: Line, ines: User, now: datetime) -> DatasetVersion:
    """Five photos, one of them with two boxes, one with a mask."""
    arrive(line, len(ANSWERS), now=now, stored=True)
    for place, answer in enumerate(ANSWERS):
        judge(line, ines, answer, now, regions=BOXES if place == 1 else [])
    Label.objects.filter(sequence=3).update(mask_digest=media.store(b"a mask"))
    return freeze(line, by=None, now=now)


def joined(chunks: Iterator[bytes], least: int) -> bytes:
    """What the stream gives; it has to come in several pieces and not before it is asked for."""
    assert isinstance(chunks, GeneratorType)
    pieces = list(chunks)
    assert sum(1 for one in pieces if one) >= least
    return b"".join(pieces)


def test_jsonl_is_the_manifest(dataset: DatasetVersion) -> None:
    lines = joined(exports.as_jsonl(dataset), len(ANSWERS)).splitlines()
    assert [json.loads(one) for one in lines] == list(rows_of(dataset))
    assert b"\n".join(lines) + b"\n" == media.load(dataset.digest)


def test_coco_hangs_together(dataset: DatasetVersion, line: Line) -> None:
    document = json.loads(joined(exports.as_coco(dataset), len(ANSWERS) + 4))
    assert document["info"]["version"] == dataset.digest
    names = {one["id"]: one["name"] for one in document["categories"]}
    assert list(names.values()) == ["ok", "scratch", "dent"] and list(names) == [1, 2, 3]
    images = {one["id"]: one for one in document["images"]}
    assert len(images) == len(ANSWERS) and {one["sluice_item"] for one in images.values()} == {
        row["item"] for row in rows_of(dataset)
    }
    assert sorted(names[one["category_id"]] for one in images.values()) == sorted(ANSWERS)
    first, second = document["annotations"]
    assert (first["id"], second["id"], first["image_id"]) == (1, 2, second["image_id"])
    image = images[first["image_id"]]
    assert (image["width"], image["height"], image["split"]) == (48, 32, image["file_name"].split("/")[0])
    assert (names[first["category_id"]], first["bbox"], first["area"]) == ("dent", [12, 16, 24, 8], 192)
    assert (names[second["category_id"]], second["bbox"], second["area"]) == ("scratch", [0, 0, 48, 32], 1536)


def test_a_zip_opens_and_every_photo_has_its_digest(dataset: DatasetVersion) -> None:
    with zipfile.ZipFile(io.BytesIO(joined(exports.as_zip(dataset), len(ANSWERS)))) as archive:
        assert archive.testzip() is None
        names = set(archive.namelist())
        manifest = [json.loads(one) for one in archive.read("manifest.jsonl").splitlines()]
        assert manifest == list(rows_of(dataset))
        for row in manifest:
            name = f"{row['split']}/{row['answer']}/{row['item']}.jpg"
            assert hashlib.sha256(archive.read(name)).hexdigest() == row["photo"]
        (masked,) = [row for row in manifest if row["mask"]]
        mask = f"{masked['split']}/{masked['answer']}/{masked['item']}.mask.png"
        assert archive.read(mask) == b"a mask" and len(names) == len(ANSWERS) + 2


def test_a_photo_that_is_no_longer_kept_does_not_cost_the_others(dataset: DatasetVersion) -> None:
    gone, masked = (next(row for row in rows_of(dataset) if bool(row["mask"]) is wanted) for wanted in (False, True))
    for digest in (gone["photo"], masked["mask"]):
        media.path_of(digest).unlink()
    with zipfile.ZipFile(io.BytesIO(b"".join(exports.as_zip(dataset)))) as archive:
        assert archive.testzip() is None
        lacking = {exports.file_name(gone), exports.file_name(masked).replace(".jpg", ".mask.png")}
        assert set(archive.read("missing.txt").decode().splitlines()) == lacking
        photos = {exports.file_name(row) for row in rows_of(dataset)} - lacking
        assert set(archive.namelist()) == photos | {"missing.txt", "manifest.jsonl"}
        assert len(archive.read("manifest.jsonl").splitlines()) == len(ANSWERS)


def test_the_manifest_in_a_zip_is_streamed_too(dataset: DatasetVersion, monkeypatch: pytest.MonkeyPatch) -> None:
    """A row is written before the next is read."""
    read: list[bytes] = []
    real = exports.as_jsonl

    def counted(version: DatasetVersion) -> Iterator[bytes]:
        for line in real(version):
            read.append(line)
            yield line

    monkeypatch.setattr(exports, "as_jsonl", counted)
    given = 0
    for piece in exports.as_zip(dataset):
        new = sum(line in piece for line in read)
        assert new <= 1
        given += new
    assert given == len(ANSWERS)


def test_coco_names_the_files_of_the_zip(dataset: DatasetVersion) -> None:
    document = json.loads(b"".join(exports.as_coco(dataset)))
    with zipfile.ZipFile(io.BytesIO(b"".join(exports.as_zip(dataset)))) as archive:
        assert {one["file_name"] for one in document["images"]} <= set(archive.namelist())


def test_a_zip_holds_no_more_than_a_photo_at_a_time(dataset: DatasetVersion) -> None:
    stream = exports.as_zip(dataset)
    first = next(stream)
    assert first.startswith(b"PK") and first.count(b"PK\x03\x04") <= 2, "a photo and its mask at most"


URL = "/api/v1/lines/phones/datasets"


@pytest.mark.parametrize(
    ("form", "kind", "ending"),
    [
        ("jsonl", "application/x-ndjson", "jsonl"),
        ("coco", "application/json", "json"),
        ("zip", "application/zip", "zip"),
    ],
)
def test_each_form_is_streamed_over_the_api(api: Client, dataset: DatasetVersion, form: str, kind: str, ending: str) -> None:
    answer = api.get(f"{URL}/1/export", query_params={"as": form})
    assert (answer.status_code, answer["Content-Type"], answer.streaming) == (200, kind, True)
    assert answer["Content-Disposition"] == f'attachment; filename="phones-dataset-1.{ending}"'
    assert len(list(answer.streaming_content)) > 1


def test_jsonl_is_the_form_nobody_has_to_ask_for(api: Client, dataset: DatasetVersion) -> None:
    assert api.get(f"{URL}/1/export")["Content-Type"] == "application/x-ndjson"


def test_what_there_is_not(api: Client, dataset: DatasetVersion, other_line: Line) -> None:
    assert api.get(f"{URL}/2/export").json()["code"] == "dataset-unknown"
    assert api.get("/api/v1/lines/tiles/datasets/1/export").status_code == 404
    answer = api.get(f"{URL}/1/export", query_params={"as": "csv"})
    assert (answer.status_code, answer["Content-Type"]) == (422, "application/problem+json")
    assert "jsonl, coco, zip" in answer.json()["detail"]


def test_freezing_over_the_api_can_be_done_twice(api: Client, dataset: DatasetVersion, client: Client) -> None:
    first, second = api.post(URL), api.post(URL)
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json() and first.json()["digest"] == dataset.digest
    assert api.get(URL).json() == [first.json()]
    assert client.post(URL).status_code == 401


def test_freezing_nothing_over_the_api_is_refused(api: Client, line: Line) -> None:
    answer = api.post(URL)
    assert (answer.status_code, answer.json()["code"]) == (409, "no-labels")
    assert api.get(URL).json() == []
