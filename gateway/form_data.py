"""A form with photos in it, read as it comes: in memory, each file copied once.

Django's own parser looks at it in pieces of 64 KB and several times over, which took as long as storing the photos.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from django.conf import settings
from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.http import HttpRequest
from multipart import MultipartError, MultipartSegment, PushMultipartParser

from gateway.errors import BadField, LengthRequired

# Bytes read at a time: several photos, so that few of them lie across two pieces and are copied once more.
PIECE = 1024 * 1024
# How the bytes of a part may come by RFC 7578: as they are.
AS_THEY_ARE = {"", "binary", "8bit", "7bit"}


@dataclass(frozen=True, slots=True)
class File:
    """One file of a form: the name of its field, its bytes, or none of them where it has more than are taken, and how many."""

    name: str
    data: bytes
    size: int


@dataclass(slots=True)
class Form:
    """The fields of a form, of which the last of a name counts, and its files in their order."""

    fields: dict[str, str] = field(default_factory=dict)
    files: list[File] = field(default_factory=list)
    # Fields that came, and the bytes of their names and values.
    number: int = 0
    bytes_beside: int = 0


def read_form(request: HttpRequest, most: int) -> Form:
    """Return the form in the request's body; of a file with more than `most` bytes none are kept.

    Raises BadField for what is no form, LengthRequired for one of unknown length, and Django's own errors for too much in it.
    """
    if request.META.get("HTTP_TRANSFER_ENCODING"):
        raise LengthRequired("Send the form with a Content-Length; a chunked body cannot be read here.")
    form, part = Form(), None
    boundary = (request.content_params or {}).get("boundary", "")
    # Also of parts that come to nothing, such as files that were not chosen.
    parts = settings.DATA_UPLOAD_MAX_NUMBER_FILES + settings.DATA_UPLOAD_MAX_NUMBER_FIELDS
    try:
        with PushMultipartParser(boundary, max_segment_count=parts + 1) as parser:
            while piece := request.read(PIECE):
                for found in parser.parse(piece):
                    if isinstance(found, MultipartSegment):
                        part = _Part(found, most)
                    elif part is not None:
                        part.take(found, form)
    except (MultipartError, UnicodeError) as error:
        raise BadField(f"The form cannot be read: {error}.") from None
    return form


class _Part:
    """One field or file on its way into the form."""

    def __init__(self, segment: MultipartSegment, most: int) -> None:
        self._name, self._filename, self._most = segment.name or "", segment.filename, most
        if self._filename is None and "filename*=" in segment.header("Content-Disposition", "").lower():
            # How some write a name that is not in ASCII, though forms no longer should.
            self._filename = "another alphabet's"
        self._pieces: list[bytes] = []
        self._size = 0
        if segment.header("Content-Transfer-Encoding", "").lower() not in AS_THEY_ARE:
            raise BadField(f"The part {self._name!r} of the form is encoded; its bytes are taken as they are.")

    def take(self, piece: bytes | bytearray | None, form: Form) -> None:
        """Take a piece of it; None is its end, and puts it into the form."""
        if piece is None:
            self._end(form)
            return
        self._size += len(piece)
        if self._filename is None:
            form.bytes_beside += len(piece)
            _refuse_too_much(form)
        elif self._size > self._most:
            self._pieces.clear()
            return
        self._pieces.append(bytes(piece))

    def _end(self, form: Form) -> None:
        data = b"".join(self._pieces)
        if self._filename is None:
            form.number += 1
            form.bytes_beside += len(self._name)
            form.fields[self._name] = data.decode()
        elif self._size or self._filename:
            # Without name and bytes it is what a browser sends for a file that was not chosen.
            form.files.append(File(self._name, data, self._size))
        _refuse_too_much(form)


def _refuse_too_much(form: Form) -> None:
    if form.bytes_beside > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
        raise RequestDataTooBig
    if form.number > settings.DATA_UPLOAD_MAX_NUMBER_FIELDS:
        raise TooManyFieldsSent
    if len(form.files) > settings.DATA_UPLOAD_MAX_NUMBER_FILES:
        raise TooManyFilesSent


def counted(files: Iterable[File]) -> str:
    """Return how many files came under which names, in words."""
    names = [file.name for file in files]
    return " and ".join(f"{names.count(name)} called {name}" for name in dict.fromkeys(names)) or "none"
