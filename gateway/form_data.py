"""A form with photos in it, read as it comes: in memory, each file copied once.

Django's own parser looks at it in pieces of 64 KB and several times over, which took as long as storing the photos.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from django.conf import settings
from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.http import HttpRequest
from multipart import MultipartError, MultipartSegment, PushMultipartParser

from gateway.errors import BadField, LengthRequired

# Bytes read at a time: several photos, so that few of them lie across two pieces and are copied once more.
PIECE = 1024 * 1024
# What undoes the encodings that forms gave up with RFC 7578 and some still send.
DECODERS: dict[str, Callable[[bytes], bytes]] = {"base64": binascii.a2b_base64, "quoted-printable": binascii.a2b_qp}
# A part with such a header is a file also where its name is not quoted, or written in the way of RFC 5987.
OF_A_FILE = re.compile(r";\s*filename\*?\s*=", re.IGNORECASE)


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
        # Names of files may be in any alphabet's own bytes; nobody reads them.
        with PushMultipartParser(boundary, max_segment_count=parts, header_charset="latin-1") as parser:
            while piece := request.read(PIECE):
                for found in parser.parse(piece):
                    if isinstance(found, MultipartSegment):
                        part = _Part(found, most)
                    elif part is not None:
                        part.take(found, form)
    except MultipartError as error:
        raise BadField(f"The form cannot be read: {error.args[0]}.") from None
    return form


class _Part:
    """One field or file on its way into the form."""

    def __init__(self, segment: MultipartSegment, most: int) -> None:
        self._name, self._most = (segment.name or "").encode("latin-1").decode(errors="replace"), most
        said = segment.header("Content-Disposition", "")
        self._is_file = bool(segment.filename or (segment.filename is None and OF_A_FILE.search(said)))
        # For a file that was not chosen browsers send a name of nothing, and no bytes.
        self._may_be_none = segment.filename == ""
        self._decode = DECODERS.get(segment.header("Content-Transfer-Encoding", "").strip().lower())
        self._pieces: list[bytes] = []
        self._size = 0

    def take(self, piece: bytes | bytearray | None, form: Form) -> None:
        """Take a piece of it; None is its end, and puts it into the form."""
        if piece is None:
            self._end(form)
            return
        self._size += len(piece)
        if not self._is_file:
            form.bytes_beside += len(piece)
            _refuse_too_much(form)
        elif self._size > self._most:
            self._pieces.clear()
            return
        self._pieces.append(bytes(piece))

    def _end(self, form: Form) -> None:
        data = b"".join(self._pieces)
        if self._decode is not None:
            try:
                data = self._decode(data)
            except ValueError as error:
                raise BadField(f"The part {self._name!r} of the form cannot be decoded: {error}.") from None
        if self._is_file:
            form.files.append(File(self._name, data, len(data) or self._size))
        elif data or not self._may_be_none:
            form.number += 1
            form.bytes_beside += len(self._name)
            try:
                form.fields[self._name] = data.decode()
            except UnicodeError:
                raise BadField(f"The field {self._name!r} of the form is not UTF-8.") from None
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
