"""The manifest of an archive: a line of JSON for each file that has more to it than its bytes."""

from __future__ import annotations

from typing import Any

from django.conf import settings

from gateway import door
from gateway.archives import shorten
from gateway.errors import BadField, BodyTooLarge

NAME = "manifest.jsonl"


class Manifest:
    """The lines by file. They are kept as text, which takes a tenth of the memory of what they say."""

    def __init__(self, data: bytes = b"") -> None:
        """Read `manifest.jsonl`. Raises BadField with the number of the line that is wrong."""
        self._lines: dict[str, bytes] = {}
        self._seen: set[str] = set()
        for number, line in enumerate(data.splitlines(), start=1):
            if line.strip():
                file, _ = _parse(line, number)
                if file in self._lines:
                    raise BadField(f"{NAME} has a second line for {file!r}: line {number}.")
                self._lines[file] = line
            if len(self._lines) > settings.MAX_ARCHIVE_ITEMS:
                raise BodyTooLarge(f"{NAME} tells of more than {settings.MAX_ARCHIVE_ITEMS} files.")

    def fields(self, file: str) -> dict[str, Any]:
        """Return what is told of a file beside its name; nothing where it has no line."""
        line = self._lines.get(file)
        if line is None:
            return {}
        self._seen.add(file)
        return _parse(line, 0)[1]

    def missing(self) -> list[str]:
        """Return the files that were told of and did not come."""
        return [file for file in self._lines if file not in self._seen]


def _parse(line: bytes, number: int) -> tuple[str, dict[str, Any]]:
    data = door.parse_json(line, f"Line {number} of {NAME}")
    if not isinstance(data, dict):
        raise BadField(f"Line {number} of {NAME} is not a JSON object.")
    file = data.pop("file", None)
    if not isinstance(file, str) or not file:
        raise BadField(f"Line {number} of {NAME} does not name its file.")
    return shorten(file), data
