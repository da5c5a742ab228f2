"""What is read from archives, and how little a hostile one can do: the readers alone, without a database."""

from __future__ import annotations

import gzip
import io
import random
import struct
import tarfile
import tracemalloc
import zipfile
from collections.abc import Callable

import pytest

from gateway import tars, zips
from gateway.archives import Body, Member, is_junk, shorten, unzipped
from gateway.errors import ArchiveBroken, BodyTooLarge
from gateway.unloading import open_archive
from tests.gateway.packing import File, tar, tar_gz, tar_of, zip_

MOST = 100_000
FILES: list[File] = [("a.jpg", b"first"), ("b/c.jpg", b"x" * 2_000), ("empty.jpg", b""), ("d.jpg", bytes(range(256)) * 5)]


def body_of(data: bytes, most: int = 10_000_000) -> Body:
    return Body(io.BytesIO(data).read, most)


def read(data: bytes, most: int = MOST) -> list[Member]:
    start = body_of(data)
    return list((zips.members if data[:2] == b"PK" else tars.members)(start, most))


def files(found: list[Member]) -> list[File]:
    assert not [member for member in found if member.refusal], found
    return [(member.name, member.data) for member in found]


FORMS: dict[str, Callable[[list[File]], bytes]] = {
    "tar, pax": tar,
    "tar, gnu": lambda given: tar(given, form=tarfile.GNU_FORMAT),
    "tar, ustar": lambda given: tar(given, form=tarfile.USTAR_FORMAT),
    "zip, deflated": zip_,
    "zip, stored": lambda given: zip_(given, zipfile.ZIP_STORED),
    "zip, deflated into a pipe": lambda given: zip_(given, forward=True),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_its_files_in_order(form: str) -> None:
    assert files(read(FORMS[form](FILES))) == FILES


@pytest.mark.parametrize("form", ["tar, pax", "tar, gnu", "zip, deflated"])
def test_long_and_foreign_names(form: str) -> None:
    given = [("ä" * 150 + "/" + "ß" * 90 + ".jpg", b"1"), ("b.jpg", b"2")]
    assert files(read(FORMS[form](given))) == given


@pytest.mark.parametrize("data", [tar_gz(FILES), gzip.compress(tar(FILES)[:700]) + gzip.compress(tar(FILES)[700:]) + bytes(9)])
def test_gzip_also_in_parts(data: bytes, settings: object) -> None:
    assert files(list(open_archive(body_of(data)))) == FILES


@pytest.mark.parametrize("form", FORMS)
def test_one_that_ends_early_is_told_apart_from_a_whole_one(form: str) -> None:
    data = FORMS[form](FILES)
    # Wherever it is cut before its end mark; behind that, nothing is needed.
    end = data.rfind(b"d.jpg", 0, data.find(b"PK\x01\x02")) if data[:2] == b"PK" else len(tar(FILES, ended=False))
    for cut in range(1, end, 97):
        with pytest.raises(ArchiveBroken):
            read(data[:cut])


def test_what_came_before_the_break_is_there() -> None:
    members = tars.members(body_of(tar(FILES, ended=False)[:3000]), MOST)
    assert next(members).data == b"first"


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE])
def test_what_is_no_file_is_refused_alone(kind: bytes) -> None:
    info = tarfile.TarInfo("a.jpg")
    info.type, info.linkname = kind, "/etc/passwd"
    found = read(tar_of(info) + tar(FILES[:1]))
    assert [bool(member.refusal) for member in found] == [True, False]
    assert found[0].data == b""


def test_folders_are_passed_over() -> None:
    info = tarfile.TarInfo("b/")
    info.type = tarfile.DIRTYPE
    assert files(read(tar_of(info) + tar(FILES))) == FILES
    assert files(read(zip_([("b/", b""), *FILES]))) == FILES


def test_files_with_holes_are_refused_alone() -> None:
    old = tarfile.TarInfo("old.jpg")
    old.type, old.size = tarfile.GNUTYPE_SPARSE, 3
    header = bytearray(tar_of(old))
    header[482] = 1
    total = 256 + sum(header[:148]) + sum(header[156:512])
    header[148:156] = b"%06o\0 " % total
    new = tarfile.TarInfo("new.jpg")
    new.pax_headers, new.size = {"GNU.sparse.major": "1", "GNU.sparse.name": "real.jpg"}, 3
    bits = b"abc".ljust(512, b"\0")
    found = read(bytes(header) + bytes(512) + bits + tar_of(new, tarfile.PAX_FORMAT) + bits + tar(FILES[:1]))
    assert [(member.name, bool(member.refusal)) for member in found] == [
        ("old.jpg", True),
        ("real.jpg", True),
        ("a.jpg", False),
    ]


@pytest.mark.parametrize("form", FORMS)
def test_a_large_file_is_refused_alone_where_its_end_is_known(form: str) -> None:
    data = FORMS[form]([("large.jpg", bytes(MOST + 1)), *FILES])
    if form == "zip, deflated into a pipe":
        with pytest.raises(ArchiveBroken, match="no length"):
            read(data)
    else:
        found = read(data)
        assert found[0].refusal is not None
        assert str(MOST) in found[0].refusal.detail
        assert files(found[1:]) == FILES


def test_headers_that_claim_much_get_no_memory() -> None:
    """The library's own reader would take as much as a header says."""
    info = tarfile.TarInfo("x" * 2_000_000)
    data = tar_of(info)
    tracemalloc.start()
    with pytest.raises(ArchiveBroken, match="at most 65536"):
        read(data)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1_000_000


def test_a_bomb_is_unpacked_no_further_than_it_may_be() -> None:
    bomb = zip_([("a.jpg", bytes(50_000_000))])
    # A header that lies: it says that one kilobyte comes out.
    lying = bytearray(bomb)
    lying[22:26] = struct.pack("<I", 1_000)
    packed = unzipped(body_of(gzip.compress(bytes(50_000_000))))
    tracemalloc.start()
    found = [read(bomb), read(bytes(lying))]
    with pytest.raises(BodyTooLarge, match="1000000 bytes, unpacked"):
        Body(packed, 1_000_000).drain()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert [bool(one.refusal) for (one,) in found] == [True, True]
    assert peak < 5_000_000


def test_a_damaged_file_of_a_zip_is_refused_alone() -> None:
    data = bytearray(zip_(FILES, zipfile.ZIP_STORED))
    data[data.index(b"first")] ^= 1
    found = read(bytes(data))
    assert "checksum" in str(found[0].refusal and found[0].refusal.detail)
    assert files(found[1:]) == FILES[1:]


@pytest.mark.parametrize(("offset", "value", "words"), [(6, 1, "encrypted"), (8, 12, "method 12")])
def test_what_a_zip_has_that_is_not_taken(offset: int, value: int, words: str) -> None:
    data = bytearray(zip_(FILES))
    data[offset] = value
    found = read(bytes(data))
    assert words in str(found[0].refusal and found[0].refusal.detail)
    assert files(found[1:]) == FILES[1:]


def test_a_zip_of_64_bits() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in FILES:
            with archive.open(name, "w", force_zip64=True) as file:
                file.write(data)
    assert files(read(out.getvalue())) == FILES


def test_a_stored_file_whose_length_comes_behind_it_ends_the_reading() -> None:
    with pytest.raises(ArchiveBroken, match="What follows it cannot be found"):
        read(zip_(FILES, zipfile.ZIP_STORED, forward=True))


def test_more_than_the_whole_may_have() -> None:
    data = tar(FILES)
    list(tars.members(body_of(data, len(data)), MOST))
    with pytest.raises(BodyTooLarge):
        list(tars.members(body_of(data, len(data) - 1), MOST))
    info = tarfile.TarInfo("a.jpg")
    info.size = 10**15
    with pytest.raises(BodyTooLarge):
        read(tar_of(info))


def test_a_connection_that_breaks() -> None:
    def broken(count: int) -> bytes:
        raise ConnectionResetError("gone")

    with pytest.raises(ArchiveBroken, match="gone"):
        Body(broken, 10).upto(1)


@pytest.mark.parametrize(
    ("name", "junk"),
    [
        ("._a.jpg", True), (".DS_Store", True), ("b/.DS_Store", True), ("__MACOSX/a.jpg", True), ("b/Thumbs.db", True),
        ("a.jpg", False), ("b.c/a.jpg", False), ("thumbs.db.jpg", False),
    ],
)  # fmt: skip
def test_what_file_managers_leave_behind(name: str, junk: bool) -> None:
    assert is_junk(name) is junk
    assert is_junk(shorten(f"././{name}")) is junk


SEEDS = [tar(FILES), tar_gz(FILES), zip_(FILES), zip_(FILES, forward=True)]


@pytest.mark.parametrize("number", range(len(SEEDS)))
def test_whatever_comes_it_is_files_or_a_clear_word(number: int) -> None:
    generator = random.Random(number)
    for _ in range(150):
        data = bytearray(SEEDS[number])
        for _ in range(generator.randrange(8)):
            data[generator.randrange(len(data))] = generator.randrange(256)
        try:
            for member in open_archive(body_of(bytes(data[: len(data) - generator.randrange(400)]), 1_000_000)):
                assert member.refusal is None or not member.data
        except (ArchiveBroken, BodyTooLarge) as error:
            assert error.detail
