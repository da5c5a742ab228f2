"""Forms are read in pieces, whatever the pieces cut through."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import RequestFactory
from hypothesis import given
from hypothesis import strategies as st

from gateway import form_data
from gateway.errors import BadField
from gateway.form_data import File, Form, counted, read_form

MOST, END = 1000, b"--x--\r\n"


def part(name: str, content: bytes, more: str = "", *lines: str) -> bytes:
    head = "\r\n".join([f'Content-Disposition: form-data; name="{name}"{more}', *lines])
    return b"--x\r\n" + head.encode() + b"\r\n\r\n" + content + b"\r\n"


def read(*parts: bytes, end: bytes = END) -> Form:
    body = b"".join(parts) + end
    return read_form(RequestFactory().generic("POST", "/", body, "multipart/form-data; boundary=x"), MOST)


@given(
    contents=st.lists(
        st.binary(max_size=60) | st.sampled_from([b"\r", b"\r\n--", b"\r\n--x", b"--x--", b"\r\n--y\r\n"]), max_size=4
    ),
    piece=st.integers(1, 80),
)
def test_wherever_a_form_is_cut(contents: list[bytes], piece: int) -> None:
    # What looks like the form's own border can't stand in it.
    contents = [one for one in contents if b"\r\n--x" not in b"\r\n" + one]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(form_data, "PIECE", piece)
        form = read(*(part("image", one, '; filename="a.jpg"') for one in contents), part("items", b"[]"))
    assert [file.data for file in form.files] == contents
    assert form.fields == {"items": "[]"}


def test_of_a_file_that_is_too_large_only_its_size_is_kept() -> None:
    files = read(part("image", b"a" * (MOST + 1), '; filename="a"'), part("image", b"a" * MOST, '; filename="b"')).files
    assert files == [File("image", b"", MOST + 1), File("image", b"a" * MOST, MOST)]


def test_a_file_that_was_not_chosen_is_nothing() -> None:
    assert read(part("image", b"", '; filename=""')) == Form()


def test_a_file_without_a_name_is_a_field() -> None:
    """So some send a field with a type of its own."""
    assert read(part("metadata", b"{}", '; filename=""')).fields == {"metadata": "{}"}


@pytest.mark.parametrize(
    "name",
    ["; filename*=utf-8''%C3%A4.jpg", '; filename="ä.jpg"', "; filename=ä.jpg", ";filename=/tmp/a.jpg", "; FileName=(1).jpg"],
)
def test_however_its_name_is_written_it_is_a_file(name: str) -> None:
    form = read(part("image", b"\xff\xd8", name))
    assert (form.files, form.fields) == ([File("image", b"\xff\xd8", 2)], {})


def test_the_name_of_a_file_may_be_of_any_bytes() -> None:
    body = part("image", b"a", '; filename="?.jpg"').replace(b"?", b"\xe4\x83")
    assert read(body).files == [File("image", b"a", 1)]


def test_a_field_may_have_a_name_in_any_alphabet() -> None:
    assert read(part("größe filename*=", b"1")).fields == {"größe filename*=": "1"}


@pytest.mark.parametrize(
    ("encoding", "sent", "meant"),
    [("base64", b"/9g=", b"\xff\xd8"), ("Quoted-Printable", b"=FF=D8", b"\xff\xd8"), ("binary ", b"=FF", b"=FF")],
)
def test_encoded_parts_are_decoded(encoding: str, sent: bytes, meant: bytes) -> None:
    header = f"Content-Transfer-Encoding: {encoding}"
    assert read(part("image", sent, '; filename="a"', header)).files[0].data == meant
    assert read(part("consent", b"true", "", "Content-Transfer-Encoding: quoted-printable")).fields == {"consent": "true"}


def test_the_last_field_of_a_name_counts() -> None:
    assert read(part("consent", b"true"), part("consent", "falsch: ü".encode())).fields == {"consent": "falsch: ü"}


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ([part("image", b"A", '; filename="a"', "Content-Transfer-Encoding: base64")], "'image' of the form cannot be decoded"),
        ([part("metadata", b"\xff")], "The field 'metadata' of the form is not UTF-8"),
        ([b"--x\r\nContent-Disposition: attachment\r\n\r\n1\r\n"], "cannot be read"),
        ([b"--x\r\nNo header\r\n\r\n1\r\n"], "cannot be read"),
    ],
)
def test_what_is_no_form(parts: list[bytes], words: str) -> None:
    with pytest.raises(BadField, match=words):
        read(*parts)


@pytest.mark.parametrize("missing", [3, 6, 8, 40, 65])
def test_a_form_that_ends_too_early(missing: int) -> None:
    with pytest.raises(BadField, match="Unexpected end"):
        read((part("metadata", b"1") + END)[:-missing], end=b"")


def test_there_is_an_end_to_files_and_fields(settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_NUMBER_FILES = settings.DATA_UPLOAD_MAX_NUMBER_FIELDS = 2
    with pytest.raises(form_data.TooManyFilesSent):
        read(*[part("image", b"a", '; filename="a"')] * 3)
    with pytest.raises(form_data.TooManyFieldsSent):
        read(*[part("consent", b"true")] * 3)
    with pytest.raises(BadField, match="Maximum segment count"):
        read(*[part("image", b"", '; filename=""')] * 6)
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 7 + 4
    assert read(part("consent", b"true")).fields
    with pytest.raises(form_data.RequestDataTooBig):
        read(part("consent", b"trues"))


def test_files_are_counted_by_name() -> None:
    assert counted([]) == "none"
    assert counted([File(name, b"", 0) for name in ("mask", "image", "mask")]) == "2 called mask and 1 called image"
