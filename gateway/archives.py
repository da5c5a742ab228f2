"""Archives as they come in: read once from front to back, with bounded memory, and nothing of them written to disk."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from gateway.errors import ArchiveBroken, BodyTooLarge, MemberRefused

Read = Callable[[int], bytes]

# Read at a time, so that one can see whether anything still comes.
PIECE = 256 * 1024
# Packed bytes unpacked at a time.
STEP = 16 * 1024
LONGEST_NAME = 1000
GZIP = 16 + zlib.MAX_WBITS


@dataclass(frozen=True, slots=True)
class Member:
    """A file of an archive, or why it is not taken. The name is what the archive says; nothing is ever opened by it."""

    name: str
    data: bytes = b""
    refusal: MemberRefused | None = None


Members = Iterator[Member]


class Body:
    """What is left of a body, read in the sizes that an archive is made of."""

    def __init__(self, read: Read, most: int) -> None:
        self._read = read
        self._most = most
        self._back = b""
        # Bytes so far; another thread looks at it to see whether anything comes.
        self.taken = 0

    def upto(self, count: int) -> bytes:
        """Return so many bytes, or fewer at the end. Raises `BodyTooLarge` where there are more than may be."""
        first, self._back = self._back[:count], self._back[count:]
        # One byte more than may be is asked for, to see whether there is one.
        wanted = min(count - len(first), self._most + 1 - self.taken)
        parts = [first] if first else []
        while wanted > 0 and (part := self._next(min(wanted, PIECE))):
            parts.append(part)
            wanted -= len(part)
            self.taken += len(part)
        self._refuse_over(0)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def exactly(self, count: int) -> bytes:
        """Return so many bytes. Raises `ArchiveBroken` where the body ends before."""
        self._refuse_over(count - len(self._back))
        data = self.upto(count)
        if len(data) < count:
            raise ArchiveBroken(f"It ends after {self.taken} bytes, in the middle of something.")
        return data

    def skip(self, count: int) -> None:
        """Pass over so many bytes. Raises like `exactly`."""
        self._refuse_over(count - len(self._back))
        while count > 0:
            count -= len(self.exactly(min(count, PIECE)))

    def give_back(self, data: bytes) -> None:
        """Have these bytes read next: they belong to what follows."""
        self._back = data + self._back

    def drain(self) -> None:
        """Read to the end: a caller that is still sending would not listen to the answer."""
        while self.upto(PIECE):
            pass

    def _next(self, count: int) -> bytes:
        try:
            return self._read(count)
        except OSError as error:
            raise ArchiveBroken(f"The connection ended after {self.taken} bytes: {error}.") from None

    def _refuse_over(self, wanted: int) -> None:
        if self.taken + wanted > self._most:
            raise BodyTooLarge(f"An archive may have {self._most} bytes, unpacked as well.")


def unzipped(body: Body) -> Read:
    """Return a reader of what is packed with gzip; it unpacks no more than it is asked for. Raises `ArchiveBroken`."""
    pipe = zlib.decompressobj(GZIP)

    def read(count: int) -> bytes:
        nonlocal pipe
        while True:
            if pipe.eof:
                # Packed parts may follow one another, and zeros the last of them.
                rest = pipe.unused_data.lstrip(b"\0")
                pipe = zlib.decompressobj(GZIP)
                body.give_back(rest)
            packed = pipe.unconsumed_tail or body.upto(STEP)
            if not packed:
                return b""
            try:
                data = pipe.decompress(packed, count)
            except zlib.error as error:
                raise ArchiveBroken(f"What gzip packed cannot be unpacked: {error}.") from None
            if data:
                return data

    return read


def shorten(name: str) -> str:
    """Return the name without the `./` that tar puts before it."""
    while name.startswith("./"):
        name = name[2:]
    return name


def is_junk(name: str) -> bool:
    """Whether a member is what file managers leave beside photos."""
    last = name.rpartition("/")[2]
    return last.startswith(".") or name.startswith("__MACOSX/") or last.lower() in {"thumbs.db", "desktop.ini"}


def refused(name: str, detail: str) -> Member:
    """Return a member that is not taken, and why."""
    return Member(name[:LONGEST_NAME], refusal=MemberRefused(detail))
