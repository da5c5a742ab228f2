"""What `manage.py serve` writes of its processes' output where machines read it: one JSON object a line and nothing else."""

from __future__ import annotations

import json
from typing import Any, TextIO


class JsonPrinter:
    """Passes JSON lines through and wraps the rest, in honcho's place for a printer."""

    def __init__(self, output: TextIO) -> None:
        self._output = output
        # Honcho pads names to it.
        self.width = 0

    def write(self, message: Any) -> None:
        """Write the lines of one message."""
        data = message.data.decode("utf-8", "replace") if isinstance(message.data, bytes) else message.data
        for line in data.splitlines():
            self._output.write(_as_json(line, message) + "\n")
        self._output.flush()


def _as_json(line: str, message: Any) -> str:
    if line.startswith('{"at": '):
        return line
    entry = {"at": message.time.astimezone().isoformat(timespec="milliseconds"), "level": "INFO"}
    return json.dumps(entry | {"logger": f"process.{message.name}", "message": line}, ensure_ascii=False)
