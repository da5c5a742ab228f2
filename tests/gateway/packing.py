"""Archives for tests, made by the standard library and, where that would not make them, by hand."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
import zipfile
from collections.abc import Iterable
from typing import Any

File = tuple[str, bytes]


def tar(files: Iterable[File], *, ended: bool = True, form: int = tarfile.PAX_FORMAT) -> bytes:
    """Return a tar archive; without its end it stops after the last file."""
    out = io.BytesIO()
    archive = tarfile.TarFile(fileobj=out, mode="w", format=form)
    for name, data in files:
        info = tarfile.TarInfo(name)
        info.size = len(data)
        archive.addfile(info, io.BytesIO(data))
    if ended:
        archive.close()
    return out.getvalue()


def tar_of(info: tarfile.TarInfo, form: int = tarfile.GNU_FORMAT) -> bytes:
    """Return one header, with what its long name takes before it."""
    return info.tobuf(form, "utf-8", "surrogateescape")


def tar_gz(files: Iterable[File]) -> bytes:
    """Return a tar archive packed with gzip."""
    return gzip.compress(tar(files))


class OnlyForward(io.RawIOBase):
    """Takes a stream and cannot go back, so that lengths are told behind the files."""

    def __init__(self) -> None:
        self.taken = io.BytesIO()

    def writable(self) -> bool:
        """It is written to."""
        return True

    def write(self, data: Any) -> int:
        """Take the bytes."""
        return self.taken.write(data)


def zip_(files: Iterable[File], method: int = zipfile.ZIP_DEFLATED, *, forward: bool = False) -> bytes:
    """Return a zip archive; `forward` makes it as a pipe would."""
    out: Any = OnlyForward() if forward else io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in files:
            archive.writestr(name, data)
    return bytes((out.taken if forward else out).getvalue())


def manifest(*rows: dict[str, Any]) -> File:
    """Return the manifest that goes before the photos."""
    return "manifest.jsonl", "".join(json.dumps(row) + "\n" for row in rows).encode()
