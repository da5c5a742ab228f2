"""Tar archives as a stream. The library's own reader trusts the sizes that headers claim with its memory; this one does not."""

from __future__ import annotations

import tarfile

from gateway.archives import LONGEST_NAME, Body, Member, Members, refused
from gateway.errors import ArchiveBroken

BLOCK = tarfile.BLOCKSIZE
END = bytes(BLOCK)
# Long names and further facts of a member stand in headers of their own; larger ones are a mistake or an attack.
MOST_HEADER = 64 * 1024
PAX = {tarfile.XHDTYPE, tarfile.SOLARIS_XHDTYPE}
# Where an old sparse header says that more of its map follows, and where one of these does.
SPARSE_MORE, MAP_MORE = 482, 504


def members(body: Body, most: int) -> Members:
    """Yield the files of a tar archive, each of at most `most` bytes, in their order. Raises `ArchiveBroken`."""
    told: dict[str, str] = {}
    while (block := body.exactly(BLOCK)) != END:
        info = _header(block)
        if info.type == tarfile.XGLTYPE or info.type == tarfile.GNUTYPE_LONGLINK:
            _extra(body, info)
        elif info.type in PAX:
            told |= _facts(_extra(body, info))
        elif info.type == tarfile.GNUTYPE_LONGNAME:
            told["path"] = _extra(body, info).rstrip(b"\0").decode(errors="replace")
        else:
            if (member := _member(body, block, info, told, most)) is not None:
                yield member
            told = {}
    body.drain()


def _header(block: bytes) -> tarfile.TarInfo:
    try:
        info = tarfile.TarInfo.frombuf(block, "utf-8", "replace")
    except tarfile.HeaderError as error:
        raise ArchiveBroken(f"A header of the tar archive cannot be read: {error}.") from None
    if info.size < 0:
        raise ArchiveBroken("A header of the tar archive tells of a size below zero.")
    return info


def _member(body: Body, block: bytes, info: tarfile.TarInfo, told: dict[str, str], most: int) -> Member | None:
    name = told.get("GNU.sparse.name") or told.get("path") or info.name
    size = _size(info, told)
    if info.type == tarfile.GNUTYPE_SPARSE:
        _skip_map(body, block)
    reason = _reason(name, info, told, size, most)
    if not (info.isreg() or info.type not in tarfile.SUPPORTED_TYPES):
        # Links, folders and devices bring no bytes, whatever size they claim.
        return None if info.isdir() else refused(name, reason)
    if reason:
        body.skip(_padded(size))
        return refused(name, reason)
    return Member(name, body.exactly(_padded(size))[:size])


def _reason(name: str, info: tarfile.TarInfo, told: dict[str, str], size: int, most: int) -> str:
    """Return why a member is not taken; empty where it is."""
    if info.issym() or info.islnk():
        return f"It is a link to {info.linkname[:LONGEST_NAME]!r}, and not a file."
    if info.type == tarfile.GNUTYPE_SPARSE or any(key.startswith("GNU.sparse.") for key in told):
        return "It is stored with holes; pack it without --sparse."
    if not info.isreg():
        return "It is a device, a pipe or something else that is not a file."
    if len(name) > LONGEST_NAME:
        return f"Its name has {len(name)} characters; at most {LONGEST_NAME} are taken."
    return f"It has {size} bytes; at most {most} are taken." if size > most else ""


def _size(info: tarfile.TarInfo, told: dict[str, str]) -> int:
    size = told.get("size", str(info.size))
    if not size.isdecimal() or len(size) > 18:
        raise ArchiveBroken(f"A header of the tar archive tells of the size {size[:20]!r}.")
    return int(size)


def _extra(body: Body, info: tarfile.TarInfo) -> bytes:
    if info.size > MOST_HEADER:
        raise ArchiveBroken(f"A header of the tar archive has {info.size} bytes; at most {MOST_HEADER} are taken.")
    return body.exactly(_padded(info.size))[: info.size]


def _facts(data: bytes) -> dict[str, str]:
    """Return the records of an extended header: `length key=value\\n`, the length counting itself."""
    facts = {}
    while data:
        digits, _, _ = data[:20].partition(b" ")
        length = int(digits) if digits.isdigit() else 0
        record = data[len(digits) + 1 : length]
        if not len(digits) + 1 < length <= len(data) or not record.endswith(b"\n"):
            raise ArchiveBroken("An extended header of the tar archive cannot be read.")
        key, _, value = record[:-1].decode(errors="replace").partition("=")
        facts[key] = value
        data = data[length:]
    return facts


def _skip_map(body: Body, block: bytes) -> None:
    more = block[SPARSE_MORE]
    while more:
        more = body.exactly(BLOCK)[MAP_MORE]


def _padded(size: int) -> int:
    return -(-size // BLOCK) * BLOCK
