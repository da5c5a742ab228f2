"""Files that get their name once they are whole: a crash leaves no half a photo.

A file without a name leaves nothing to sweep up either; where every file has one, a hidden one may stay.
"""

from __future__ import annotations

import errno
import os
from contextlib import AbstractContextManager, suppress
from types import TracebackType
from uuid import uuid4

# A file without a name, where the system has that; and what it says where not. Without the flag a folder can't be written.
NAMELESS = getattr(os, "O_TMPFILE", 0)
NAMELESS_UNKNOWN = frozenset({errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL})


class Draft(AbstractContextManager["Draft"]):
    """Bytes for the place `path`, written to the open file `file`. Where they were not put there, they are gone at the end."""

    def __init__(self, path: str, data: bytes) -> None:
        self._path, self._beside = path, ""
        self.file = self._open()
        try:
            if os.write(self.file, data) != len(data):
                raise OSError(errno.ENOSPC, "The disk took only a part of the photo.")
        except BaseException:
            self._end()
            raise

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._end()

    def put(self) -> None:
        """Give it its name. If somebody has put a file there meanwhile, it has the same bytes."""
        if self._beside:
            os.rename(self._beside, self._path)
            self._beside = ""
        else:
            with suppress(FileExistsError):
                # The folder of the source is looked at for no other path than a relative one, and makes Python follow the link.
                os.link(f"/proc/self/fd/{self.file}", self._path, src_dir_fd=self.file, follow_symlinks=True)

    def _open(self) -> int:
        folder, name = os.path.split(self._path)
        try:
            # In the one folder above: a file system looks for room near the folder it is told, and 256 of them are far apart.
            return os.open(os.path.dirname(folder), os.O_WRONLY | NAMELESS, 0o666)
        except OSError as error:
            if error.errno not in NAMELESS_UNKNOWN:
                raise
        # Where every file has a name (network file systems, other systems than Linux): beside, and renamed.
        self._beside = f"{folder}/.{name}.{uuid4().hex}"
        return os.open(self._beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)

    def _end(self) -> None:
        try:
            if self._beside:
                with suppress(FileNotFoundError):
                    os.unlink(self._beside)
        finally:
            os.close(self.file)
