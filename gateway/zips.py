"""Zip archives as a stream, by the header before each file (APPNOTE.TXT 4.3.7): nothing waits for the list at the end."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

from gateway.archives import LONGEST_NAME, STEP, Body, Member, Members, refused
from gateway.errors import ArchiveBroken

LOCAL = struct.Struct("<HHHHHIIIHH")
FILE = b"PK\x03\x04"
# What follows the last file: the list of files, or the end of an archive that has none.
AFTER = (b"PK\x01\x02", b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x08")
ENCRYPTED, SIZES_FOLLOW, UTF8 = 0x1, 0x8, 0x800
STORED, DEFLATED = 0, 8
UNKNOWN = 0xFFFFFFFF
RAW_DEFLATE = -zlib.MAX_WBITS
# Packing what cannot be packed makes it a little longer.
PACKED_MORE = 64 * 1024
# Crc, packed and unpacked size behind a file, with and without a signature, of 32 or 64 bits.
TRAILERS = [struct.Struct(form) for form in ("<4sIII", "<4sIQQ", "<III", "<IQQ")]
SIGNATURE = b"PK\x07\x08"


@dataclass(frozen=True, slots=True)
class Header:
    """What stands before a file."""

    name: str
    flags: int
    method: int
    crc: int
    packed: int
    size: int

    @property
    def open_ended(self) -> bool:
        """Whether only the packed bytes themselves tell where they end."""
        return bool(self.flags & SIZES_FOLLOW) and self.packed == 0


def members(body: Body, most: int) -> Members:
    """Yield the files of a zip archive, each of at most `most` bytes, in their order. Raises `ArchiveBroken`."""
    while (mark := body.exactly(4)) == FILE:
        header = _header(body)
        member = _open_ended(body, header, most) if header.open_ended else _sized(body, header, most)
        if not header.name.endswith("/"):
            yield member
    if mark not in AFTER:
        raise ArchiveBroken(f"Where the zip archive should go on there is {mark!r}.")
    body.drain()


def _header(body: Body) -> Header:
    _, flags, method, _, _, crc, packed, size, name_length, extra_length = LOCAL.unpack(body.exactly(LOCAL.size))
    name = body.exactly(name_length).decode("utf-8" if flags & UTF8 else "cp437", errors="replace")
    extra = body.exactly(extra_length)
    if UNKNOWN in (packed, size):
        size, packed = _long_sizes(extra)
    return Header(name, flags, method, crc, packed, size)


def _long_sizes(extra: bytes) -> tuple[int, int]:
    """Return the sizes of 64 bits, which stand in a field of the number 1."""
    while len(extra) >= 4:
        number, length = struct.unpack_from("<HH", extra)
        if number == 1 and length >= 16 and len(extra) >= 20:
            size, packed = struct.unpack_from("<QQ", extra, 4)
            return size, packed
        extra = extra[4 + length :]
    raise ArchiveBroken("A header of the zip archive leaves out how long its file is.")


def _sized(body: Body, header: Header, most: int) -> Member:
    reason = _reason(header, most)
    if reason:
        body.skip(header.packed)
        _skip_trailer(body, header, None)
        return refused(header.name, reason)
    packed = body.exactly(header.packed)
    data, fault = (packed, "") if header.method == STORED else _unpack(packed, most)
    crc = zlib.crc32(data)
    _skip_trailer(body, header, None if fault else (crc, header.packed, len(data)))
    if not fault and not header.flags & SIZES_FOLLOW and crc != header.crc:
        fault = f"Its checksum is {crc:08x}, and {header.crc:08x} in its header: it was damaged on the way."
    return refused(header.name, fault) if fault else Member(header.name, data)


def _reason(header: Header, most: int) -> str:
    """Return why a file is not taken; empty where it is."""
    if header.flags & ENCRYPTED:
        return "It is encrypted."
    if header.method not in {STORED, DEFLATED}:
        return f"It is packed by method {header.method}; stored (0) and deflated (8) are taken."
    if len(header.name) > LONGEST_NAME:
        return f"Its name has {len(header.name)} characters; at most {LONGEST_NAME} are taken."
    over = header.packed > most if header.method == STORED else header.packed > most + PACKED_MORE
    return f"It has {max(header.size, header.packed)} bytes; at most {most} are taken." if over or header.size > most else ""


def _unpack(packed: bytes, most: int) -> tuple[bytes, str]:
    """Return the bytes, or what is wrong with them. What claims to be small and is not is unpacked no further than `most`."""
    pipe = zlib.decompressobj(RAW_DEFLATE)
    try:
        data = pipe.decompress(packed, most + 1)
    except zlib.error as error:
        return b"", f"It cannot be unpacked: {error}."
    if len(data) > most:
        return b"", f"Unpacked it has more than {most} bytes, which is the most that is taken."
    return (data, "") if pipe.eof else (b"", "It cannot be unpacked: it ends too early.")


def _open_ended(body: Body, header: Header, most: int) -> Member:
    """Read a file whose length is told behind it. Where its end cannot be found, nor can what follows it."""
    reason = _reason(header, most)
    if reason or header.method != DEFLATED:
        why = reason or "It is stored, and its length is told only behind it."
        raise ArchiveBroken(f"{header.name[:LONGEST_NAME]!r}: {why} What follows it cannot be found.")
    pipe, parts, size, packed = zlib.decompressobj(RAW_DEFLATE), [], 0, 0
    while not pipe.eof:
        step = pipe.unconsumed_tail or body.upto(STEP)
        packed += 0 if pipe.unconsumed_tail else len(step)
        part = _step(pipe, step, most + 1 - size, header.name)
        parts.append(part)
        size += len(part)
        if size > most:
            raise ArchiveBroken(f"{header.name[:LONGEST_NAME]!r} has more than {most} bytes, and no length in its header.")
    body.give_back(pipe.unused_data)
    data = b"".join(parts)
    _skip_trailer(body, header, (zlib.crc32(data), packed - len(pipe.unused_data), size))
    return Member(header.name, data)


def _step(pipe: zlib._Decompress, step: bytes, room: int, name: str) -> bytes:
    if not step:
        raise ArchiveBroken(f"It ends in the middle of {name[:LONGEST_NAME]!r}.")
    try:
        return pipe.decompress(step, room)
    except zlib.error as error:
        raise ArchiveBroken(f"{name[:LONGEST_NAME]!r} cannot be unpacked: {error}.") from None


def _skip_trailer(body: Body, header: Header, found: tuple[int, int, int] | None) -> None:
    """Pass over the sizes behind a file: writers differ in their form, so the one that tells what was found is it."""
    if not header.flags & SIZES_FOLLOW:
        return
    data = body.upto(TRAILERS[1].size)
    for form in TRAILERS:
        if len(data) < form.size:
            continue
        *signature, crc, packed, size = form.unpack_from(data)
        if signature in ([], [SIGNATURE]) and found in (None, (crc, packed, size)) and data[form.size :][:2] in (b"PK", b""):
            body.give_back(data[form.size :])
            return
    raise ArchiveBroken(f"{header.name[:LONGEST_NAME]!r} was damaged on the way: its checksum is another one.")
