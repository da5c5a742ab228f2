"""Photos go when their time is over and nothing needs them; decisions, digests and statistics stay."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from gateway import leaving, lifecycle, media
from gateway.errors import PhotoDeleted
from gateway.models import Event, Item
from gateway.referring import refer_all
from policies.decide import Reason
from policies.models import Line
from policies.modes import Mode
from review import retention
from review.datasets import freeze
from review.models import LabelExample
from tests.conftest import Model, photo
from tests.races import race
from tests.review.people import judge

Post = Callable[..., dict[str, Any]]
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def media_folder(settings: Any, tmp_path: Path) -> Path:
    """A media folder of this test's own."""
    settings.VAR_DIR = tmp_path
    return tmp_path / "media"


@pytest.fixture
def a_month(line: Line) -> Line:
    """The line keeps photos for 30 days."""
    line.photo_days = 30
    Line.objects.filter(pk=line.pk).update(photo_days=30)
    return line


@pytest.fixture
def full(dial: Callable[..., Any], model: Model) -> None:
    """The model decides everything."""
    dial(Mode.FULL)


def old(line: Line, now: datetime, days: float = 31) -> int:
    """Let the clock's task run so many days later."""
    return retention.delete_old(line, now=now + days * DAY, most=1000)


def is_there(digest: str) -> bool:
    try:
        media.open_file(digest).close()
    except FileNotFoundError:
        return False
    return True


def test_a_photo_goes_after_its_days_and_the_rest_stays(a_month: Line, full: None, post: Post, now: datetime) -> None:
    body = post(seed=1)
    assert old(a_month, now, 29.9) == 0
    assert old(a_month, now) == 1
    item = Item.objects.get()
    assert (item.photo_deleted_at, item.answer, item.media_digest) == (now + 31 * DAY, "ok", body["photo"]["sha256"])
    (told,) = Event.objects.filter(kind="photo.deleted")
    assert (told.actor, told.reason) == ("system:retention", "The line keeps photos for 30 days.")
    assert old(a_month, now, 32) == 0

    assert retention.finish(now=now + 31 * DAY + leaving.GRACE - timedelta(minutes=1)) == 0
    assert retention.finish(now=now + 31 * DAY + leaving.GRACE) == 1
    assert not is_there(item.media_digest)


def test_a_line_without_days_keeps_everything(line: Line, full: None, post: Post, now: datetime) -> None:
    post()
    assert old(line, now, 36_500) == 0


def test_what_people_are_asked_about_stays_until_nobody_can_change_the_answer(
    a_month: Line, post: Post, ines: User, now: datetime
) -> None:
    post()
    assert old(a_month, now) == 0
    later = now + 31 * DAY
    judge(a_month, ines, "dent", later)
    assert retention.delete_old(a_month, now=later + timedelta(minutes=30), most=10) == 0
    assert retention.delete_old(a_month, now=later + timedelta(minutes=32), most=10) == 1


def test_a_dataset_and_the_label_book_keep_theirs(a_month: Line, post: Post, ines: User, now: datetime) -> None:
    in_dataset, in_book, in_none = (post(seed=seed)["id"] for seed in range(3))
    judge(a_month, ines, "ok", now)
    freeze(a_month, by=None, now=now)
    judge(a_month, ines, "dent", now)
    judge(a_month, ines, "dent", now)
    LabelExample.objects.create(label_class=a_month.classes.first(), item_id=in_book)
    assert old(a_month, now) == 1
    assert {str(pk) for pk in Item.objects.filter(photo_deleted_at=None).values_list("pk", flat=True)} == {in_dataset, in_book}
    assert str(Item.objects.exclude(photo_deleted_at=None).get().pk) == in_none
    assert freeze(a_month, by=None, now=now).counts != {}, "what has lost its photo is left out"


def test_the_bytes_stay_while_another_item_has_them(
    a_month: Line, other_line: Line, post: Post, full: None, now: datetime
) -> None:
    digest = post(seed=5)["photo"]["sha256"]
    post(seed=5, slug="tiles")
    assert old(a_month, now) == 1
    retention.finish(now=now + 32 * DAY)
    assert media.path_of(digest).exists()


def test_bytes_that_come_again_while_they_leave_are_there_again(a_month: Line, post: Post, full: None, now: datetime) -> None:
    """The camera saw the file in its place, then it was set aside, then the camera recorded its item."""
    digest = post(seed=5)["photo"]["sha256"]
    media.store(photo(5))
    old(a_month, now)
    assert is_there(digest) and not media.path_of(digest).exists()
    Item.objects.update(photo_deleted_at=None)  # stands for the record of the second item
    assert retention.finish(now=now + 32 * DAY) == 0
    assert media.path_of(digest).read_bytes() == photo(5)


def test_bytes_stored_anew_meanwhile_outlive_those_that_leave(a_month: Line, post: Post, full: None, now: datetime) -> None:
    digest = post(seed=5)["photo"]["sha256"]
    old(a_month, now)
    post(seed=5)
    assert retention.finish(now=now + 32 * DAY) == 0
    assert media.path_of(digest).exists() and not media.aside_of(digest).exists()


def test_a_crash_between_file_and_row_loses_nothing(
    a_month: Line, post: Post, full: None, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = post()["photo"]["sha256"]

    def power_cut(*args: Any, **kwargs: Any) -> int:
        raise OSError("no power")

    with monkeypatch.context() as broken:
        broken.setattr(retention, "_mark", power_cut)
        with pytest.raises(OSError, match="no power"):
            old(a_month, now)
    assert is_there(digest)
    retention.finish(now=now + 32 * DAY)
    assert media.path_of(digest).exists()


def test_nothing_goes_while_a_backup_reads(a_month: Line, post: Post, full: None, now: datetime) -> None:
    digest, later = post()["photo"]["sha256"], now + 32 * DAY
    old(a_month, now)
    held = leaving.hold("backup")
    os.utime(held, (later.timestamp(), later.timestamp()))
    assert retention.finish(now=later) == 0 and is_there(digest)
    assert retention.finish(now=later + leaving.HOLD_LASTS + timedelta(seconds=1)) == 1, "a backup that died holds nothing"


def test_without_consent_it_goes_as_soon_as_the_model_has_decided(line: Line, full: None, post: Post, now: datetime) -> None:
    post(seed=1, consent="false")
    post(seed=2, consent="true")
    assert retention.delete_unwanted(now=now + timedelta(seconds=1), most=10) == 1
    gone = Item.objects.get(consent=False)
    assert gone.photo_deleted_at is not None
    assert Event.objects.get(kind="photo.deleted").reason == "It was sent without consent to keep it."
    assert Item.objects.get(consent=True).photo_deleted_at is None


def test_without_consent_people_still_see_it_while_they_decide(line: Line, post: Post, ines: User, now: datetime) -> None:
    post(consent="false")
    assert retention.delete_unwanted(now=now + DAY, most=10) == 0
    judge(line, ines, "ok", now)
    assert retention.delete_unwanted(now=now + timedelta(minutes=29), most=10) == 0
    assert retention.delete_unwanted(now=now + timedelta(minutes=32), most=10) == 1


def test_without_consent_nothing_is_trained_on_it(line: Line, post: Post, ines: User, api: Client, now: datetime) -> None:
    post(seed=1, consent="false")
    post(seed=2)
    judge(line, ines, "ok", now)
    judge(line, ines, "dent", now)
    version = freeze(line, by=None, now=now)
    assert sum(count for side in version.counts.values() for count in side.values()) == 1
    feed = api.get("/api/v1/lines/phones/labels").json()["labels"]
    assert [(one["consent"], one["photo"] is None) for one in feed] == [(False, True), (True, False)]


def test_nobody_is_asked_about_a_photo_that_is_gone(a_month: Line, post: Post, full: None, api: Client, now: datetime) -> None:
    body = post()
    old(a_month, now)
    item = Item.objects.get()
    with pytest.raises(PhotoDeleted):
        lifecycle.refer(item, Reason.APPEAL, blind=True, actor="token:camera", now=now)
    assert refer_all([item.pk], Reason.RECALL, blind=True, actor="user:max", now=now) == []
    response = api.post(f"/api/v1/items/{body['id']}/appeal", {"reason": "It came back"}, content_type="application/json")
    assert (response.status_code, response.json()["code"]) == (410, "photo-deleted")


def test_it_goes_in_bounded_batches_oldest_first(
    a_month: Line, post: Post, full: None, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "BATCH", 2)
    ids = [post(seed=seed)["id"] for seed in range(5)]
    assert retention.delete_old(a_month, now=now + 31 * DAY, most=3) == 3
    gone = Item.objects.exclude(photo_deleted_at=None).order_by("pk").values_list("pk", flat=True)
    assert [str(pk) for pk in gone] == ids[:3]


@pytest.mark.parametrize("what", ["photo", "thumbnail"])
def test_pages_and_api_say_that_it_is_gone(
    a_month: Line, post: Post, full: None, ines: User, api: Client, login: Any, now: datetime, what: str
) -> None:
    body = post()
    old(a_month, now)
    response = login(ines).get(f"/items/{body['id']}/{what}")
    assert (response.status_code, response["Content-Type"]) == (410, "image/svg+xml")
    assert f"{now + 31 * DAY:%Y-%m-%d}" in response.content.decode()
    assert api.get(f"/api/v1/items/{body['id']}").json()["photo"]["deleted_at"].startswith(f"{now + 31 * DAY:%Y-%m-%d}")
    page = login(ines).get(f"/items/{body['id']}/").content.decode()
    assert "The photo was deleted on" in page and "The line keeps photos for 30 days." in page
    assert f"/items/{body['id']}/photo" not in page


def test_a_photo_without_consent_is_kept_by_no_browser(line: Line, post: Post, ines: User, login: Any) -> None:
    for what in ("photo", "thumbnail"):
        response = login(ines).get(f"/items/{post(consent='false')['id']}/{what}")
        assert response["Cache-Control"] == "private, no-store"
        # Read to its end, which closes the file; closing it by hand would close the test's own connection as well.
        assert response.getvalue()


@pytest.mark.usefixtures("file_database")
def test_either_it_is_deleted_or_people_are_asked(a_month: Line, post: Post, full: None, now: datetime) -> None:
    for seed in range(4):
        post(seed=seed)
        item = Item.objects.first()
        assert item is not None
        results = race(
            lambda: old(a_month, now), lambda item=item: lifecycle.refer(item, Reason.APPEAL, blind=True, actor="x", now=now)
        )
        item.refresh_from_db()
        refused = isinstance(results[1], PhotoDeleted)
        assert refused == (item.photo_deleted_at is not None), results
