"""Bringing in a labelled folder: what becomes of it, and that doing it again, or going on after a cut, changes nothing."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from gateway import lifecycle, media
from gateway.models import DecidedBy, Event, Item, ItemState, Referral
from policies.decide import Reason
from policies.models import LabelClass, Line
from review import importing
from review.datasets import freeze, rows_of
from review.errors import FolderRefused
from review.importing import find_classes, find_photos, import_photos
from review.models import Label, LabelSource
from tests.conftest import photo
from tests.review.people import fresh, judge

Folder = Callable[..., Path]


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """Make a folder: `folder({"ok/a.jpg": photo(1)})`."""

    def make(files: dict[str, bytes]) -> Path:
        root = tmp_path / "photos"
        for name, data in files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        return root

    return make


def bring(line: Line, root: Path, done: list[int] | None = None, **options: Any) -> importing.Imported:
    """Import a folder whose classes the line has."""
    photos = find_photos(root, [one.key for one in line.classes.all()], **options)
    return import_photos(line, photos, actor="import", progress=(done if done is not None else []).append)


@pytest.mark.parametrize(
    ("folders", "given", "classes"),
    [
        (["dent", "ok", "crack"], None, ["ok", "crack", "dent"]),
        (["good", "broken"], None, ["good", "broken"]),
        (["free", "blowhole", "uneven"], None, ["free", "blowhole", "uneven"]),
        (["a", "b"], "b", ["b", "a"]),
        (["ok", "b"], "b", ["b", "ok"]),
        (["oil", "stain"], None, ["ok", "oil", "stain"]),
        (["oil"], "clean", ["clean", "oil"]),
    ],
)
def test_the_negative_is_found_or_given(tmp_path: Path, folders: list[str], given: str | None, classes: list[str]) -> None:
    for name in [*folders, ".hidden"]:
        (tmp_path / name).mkdir()
    (tmp_path / "readme.txt").write_text("not a class")
    assert find_classes(tmp_path, given) == classes


def test_what_is_no_such_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FolderRefused, match="no folder"):
        find_classes(tmp_path / "nowhere")
    with pytest.raises(FolderRefused, match="one a class"):
        find_classes(tmp_path)


def test_a_folder_is_a_class_and_a_png_beside_a_jpg_is_its_mask(folder: Folder) -> None:
    root = folder(
        {
            "dent/b.jpg": b"1",
            "dent/b.png": b"2",
            "dent/a.JPG": b"3",
            "dent/c.png": b"4",
            "dent/deep/er.webp": b"5",
            "dent/notes.txt": b"6",
            "ok/x.jpeg": b"7",
        }
    )
    found = find_photos(root, ["ok", "dent", "never photographed"])
    assert [(one.path.name, one.answer, one.mask and one.mask.name) for one in found] == [
        ("a.JPG", "dent", None),
        ("b.jpg", "dent", "b.png"),
        ("c.png", "dent", None),
        ("er.webp", "dent", None),
        ("x.jpeg", "ok", None),
    ]


@pytest.mark.parametrize(
    ("pattern", "units"),
    [
        (None, ["ok/exp1_num_7", "ok/exp2_num_7", "ok/odd"]),
        (r"num_(\d+)", ["7", "7", "ok/odd"]),
        (r"num_\d+", ["num_7", "num_7", "ok/odd"]),
    ],
)
def test_a_pattern_names_the_unit(folder: Folder, pattern: str | None, units: list[str]) -> None:
    root = folder({"ok/exp1_num_7.jpg": b"1", "ok/exp2_num_7.jpg": b"2", "ok/odd.jpg": b"3"})
    assert [one.external_id for one in find_photos(root, ["ok"], pattern)] == units


def test_a_pattern_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FolderRefused, match="no regular expression"):
        find_photos(tmp_path, ["ok"], "(")


def test_a_photo_comes_in_decided_and_labelled(line: Line, folder: Folder) -> None:
    root = folder({"dent/SN7.jpg": photo(1), "dent/SN7.png": photo(2, form="PNG"), "ok/SN8.jpg": photo(3)})
    assert bring(line, root) == importing.Imported(added=2, known=0, refused=())

    item = Item.objects.get(external_id="dent/SN7")
    assert (item.state, item.answer, item.decided_by, item.revision) == (ItemState.DECIDED, "dent", DecidedBy.IMPORT, 1)
    assert (item.width, item.height, item.metadata, item.media_bytes) == (48, 32, {"file": "SN7.jpg"}, len(photo(1)))
    assert item.brightness is not None and media.load(item.media_digest) == photo(1)
    decision = item.decisions.get()
    assert (decision.answer, decision.decided_by, decision.model_version) == ("dent", DecidedBy.IMPORT, None)
    label = item.labels.get()
    assert (label.answer, label.source, label.blind) == ("dent", LabelSource.IMPORT, False)
    assert (label.in_audit, label.inclusion_probability) == (False, None), "nobody knows how it was chosen"
    assert media.load(label.mask_digest) == photo(2, form="PNG")
    assert Event.objects.get(item=item).kind == "item.imported"
    assert not Referral.objects.exists()
    assert sorted(Label.objects.values_list("sequence", flat=True)) == [1, 2]
    assert {row["mask"] for row in rows_of(freeze(line, by=None, now=label.created_at))} == {"", label.mask_digest}


def test_doing_it_again_changes_nothing_whatever_the_files_are_called(line: Line, folder: Folder) -> None:
    root = folder({"ok/a.jpg": photo(1), "ok/b.jpg": photo(2), "ok/copy of a.jpg": photo(1)})
    assert bring(line, root) == importing.Imported(added=2, known=1, refused=())
    (root / "ok/a.jpg").rename(root / "ok/renamed.jpg")
    (root / "ok/new.jpg").write_bytes(photo(3))
    assert bring(line, root) == importing.Imported(added=1, known=3, refused=())
    assert Item.objects.count() == Label.objects.count() == 3


def test_what_people_decided_otherwise_since_is_not_brought_in_again(line: Line, folder: Folder, ines: User, now: Any) -> None:
    root = folder({"ok/a.jpg": photo(1)})
    bring(line, root)
    item = Item.objects.get()
    lifecycle.refer(item, Reason.APPEAL, blind=True, actor="test", now=now)
    judge(line, ines, "dent", now)
    assert bring(line, root) == importing.Imported(added=0, known=1, refused=())
    assert (Item.objects.get().answer, fresh(item).decided_by) == ("dent", DecidedBy.PERSON)


def test_the_same_photo_comes_into_each_line_once(line: Line, other_line: Line, folder: Folder) -> None:
    LabelClass.objects.filter(line=other_line, key="fine").update(key="ok")
    root = folder({"ok/a.jpg": photo(1)})
    assert bring(line, root).added == bring(other_line, root).added == 1


def test_an_import_that_was_cut_off_goes_on_where_it_stopped(
    line: Line, folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "BATCH", 2)
    root = folder({f"ok/{number}.jpg": photo(number) for number in range(5)})
    photos = find_photos(root, ["ok"])
    done: list[int] = []

    def cut(count: int) -> None:
        done.append(count)
        if len(done) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        import_photos(line, photos, actor="import", progress=cut)
    assert Item.objects.count() == Label.objects.count() == 4
    assert bring(line, root, done) == importing.Imported(added=1, known=4, refused=())
    assert done == [2, 2, 2, 2, 1]
    assert sorted(Label.objects.values_list("sequence", flat=True)) == [1, 2, 3, 4, 5]


def test_a_file_that_cannot_be_taken_is_named_and_the_others_come_in(line: Line, folder: Folder) -> None:
    root = folder({"ok/good.jpg": photo(1), "ok/text.jpg": b"not a photo", "ok/empty.jpg": b"", "ok/half.jpg": photo(2)[:300]})
    done: list[int] = []
    result = bring(line, root, done)
    assert (result.added, result.known, sum(done)) == (1, 0, 4)
    assert sorted(sentence.split(":")[0] for sentence in result.refused) == ["empty.jpg", "half.jpg", "text.jpg"]
    assert all(len(sentence) > 15 for sentence in result.refused)
    assert Item.objects.count() == 1


def test_a_class_that_the_line_lacks_is_refused_before_anything_comes_in(line: Line, folder: Folder) -> None:
    root = folder({"crack/a.jpg": photo(1), "ok/b.jpg": photo(2)})
    with pytest.raises(FolderRefused, match="no class crack; it has dent, ok, scratch"):
        import_photos(line, find_photos(root, ["ok", "crack"]), actor="import", progress=[].append)
    assert not Item.objects.exists()


def test_a_folder_without_photos_brings_nothing(line: Line, tmp_path: Path) -> None:
    (tmp_path / "ok").mkdir()
    assert bring(line, tmp_path) == importing.Imported(0, 0, ())


def test_the_command_makes_the_line_and_says_what_it_did(db: None, folder: Folder) -> None:
    root = folder({"deep_crack/a.jpg": photo(1), "good/b.jpg": photo(2), "good/bad.jpg": b"x"})
    out, err = io.StringIO(), io.StringIO()
    call_command("import_folder", "new-tiles", str(root), stdout=out, stderr=err)
    line = Line.objects.get(slug="new-tiles")
    classes = list(line.classes.order_by("position").values_list("key", "name", "is_negative"))
    assert classes == [("good", "Good", True), ("deep_crack", "Deep crack", False)]
    assert "2 photos imported, 0 were there already, 1 refused." in out.getvalue()
    assert "bad.jpg" in err.getvalue()
    call_command("import_folder", "new-tiles", str(root), stdout=(again := io.StringIO()), stderr=err)
    assert "0 photos imported, 2 were there already, 1 refused." in again.getvalue()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [(["nowhere"], "no folder"), ([".", "--id-pattern", "("], "regular expression"), (["."], "no class")],
)
def test_the_command_explains_what_is_wrong(
    line: Line, folder: Folder, monkeypatch: pytest.MonkeyPatch, arguments: list[str], words: str
) -> None:
    monkeypatch.chdir(folder({"crack/a.jpg": photo(1)}))
    with pytest.raises(CommandError, match=words):
        call_command("import_folder", line.slug, *arguments, stdout=io.StringIO())


REAL = Path(__file__).resolve().parents[3] / "shared" / "data"


@pytest.mark.parametrize(
    ("name", "classes", "pattern", "masks"),
    [
        ("tiles", ["free", "blowhole", "break", "crack", "fray", "uneven"], r"_num_(\d+)", 6),
        ("phones", ["ok", "oil", "scratch", "stain"], None, 0),
    ],
)
def test_a_few_photos_of_the_real_folders(
    db: None, tmp_path: Path, name: str, classes: list[str], pattern: str | None, masks: int
) -> None:
    if not (REAL / name).is_dir():
        pytest.skip(f"the data set {name} is not here")
    for each in sorted((REAL / name).iterdir()):
        (tmp_path / each.name).mkdir()
        for shot in sorted(each.glob("*.jpg"))[:2]:
            for path in (shot, shot.with_suffix(".png")):
                if path.exists():
                    (tmp_path / each.name / path.name).symlink_to(path)
    assert find_classes(tmp_path) == classes
    photos = find_photos(tmp_path, classes, pattern)
    assert len(photos) == 2 * len([one for one in classes if one != "ok"])
    assert sum(one.mask is not None for one in photos) >= masks
    call_command("import_folder", name, str(tmp_path), stdout=(out := io.StringIO()))
    assert f"{len(photos)} photos imported, 0 were there already, 0 refused." in out.getvalue()
    assert Label.objects.exclude(mask_digest="").count() >= masks
