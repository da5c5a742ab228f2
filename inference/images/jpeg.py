"""Walk the segments of a JPEG file (ITU-T T.81, annex B): its size, its orientation, and that it is all there."""

from __future__ import annotations

import re

from inference.errors import InputRefused
from inference.images.container import Container, corrupt, truncated
from inference.images.exif import UPRIGHT, orientation

START_OF_SCAN, END_OF_IMAGE, APP0, APP1, APP14, COMMENT = 0xDA, 0xD9, 0xE0, 0xE1, 0xEE, 0xFE
# Start of frame; C4, C8 and CC in that range mean something else.
FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
WITHOUT_LENGTH = frozenset(range(0xD0, 0xD9)) | {0x01}
# Zero is no marker and the rest are reserved. Decoders look for markers inside of what one of these seems to begin.
UNKNOWN = frozenset(range(0xC0)) - WITHOUT_LENGTH
# Within a scan: a byte FF that is neither a stuffed zero, a restart marker nor filling ends it.
SCAN_END = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
EXIF = b"Exif\0\0"
# Progressive files have about ten scans. Each costs a pass over the whole picture, so thousands of them are an attack.
MAX_SCANS = 100


def walk(data: bytes) -> Container:
    """Return what the segments of `data` tell. What follows the end of the first picture is dropped. Raises `InputRefused`."""
    size: tuple[int, int] | None = None
    turned, scans, at = UPRIGHT, 0, 2
    # What a decoder needs, as runs of bytes: most photos are one.
    runs = [[0, 2]]
    while True:
        start = at
        marker, begin, at = _segment(data, start)
        if marker in FRAMES:
            # Decoders go by the frame before the scan, whatever a later one says.
            if size is not None:
                raise corrupt("This JPEG file has a second frame.")
            size = _size(data[begin:at])
        elif marker == START_OF_SCAN:
            scans += 1
            at = _scan_end(data, at)
        elif marker == APP1 and data[begin + 2 : begin + 8] == EXIF:
            turned = orientation(data[begin + 8 : at])
        if _needed(marker):
            if runs[-1][1] == start:
                runs[-1][1] = at
            else:
                runs.append([start, at])
        if marker == END_OF_IMAGE:
            break
    if size is None or scans == 0:
        raise corrupt("This JPEG file has no picture in it: a frame or its scan is missing.")
    if scans > MAX_SCANS:
        raise InputRefused(
            "image-too-costly", "The image is too costly to decode", f"It has {scans} scans; {MAX_SCANS} are taken."
        )
    return Container("image/jpeg", *size, turned, b"".join([data[begin:end] for begin, end in runs]))


def _segment(data: bytes, at: int) -> tuple[int, int, int]:
    """Return the marker at `at`, and where its segment begins (after the marker) and ends."""
    size = len(data)
    if at < size and data[at] != 0xFF:
        raise corrupt(f"Byte {at} of this JPEG file should begin a segment and doesn't.")
    while at < size and data[at] == 0xFF:
        at += 1
    if at >= size:
        raise truncated(f"This JPEG file ends after {len(data)} bytes, before its end marker.")
    marker, begin = data[at], at + 1
    if marker in UNKNOWN:
        raise corrupt(f"Byte {at} of this JPEG file should be a marker and is {marker:02x}.")
    if marker == END_OF_IMAGE or marker in WITHOUT_LENGTH:
        return marker, begin, begin
    end = begin + int.from_bytes(data[begin : begin + 2], "big")
    if begin + 2 > len(data) or end > len(data):
        raise truncated(f"This JPEG file ends after {len(data)} bytes, within a segment.")
    if end < begin + 2:
        raise corrupt(f"The segment at byte {begin} of this JPEG file has an impossible length.")
    return marker, begin, end


def _size(body: bytes) -> tuple[int, int]:
    if len(body) < 8:
        raise corrupt("The frame header of this JPEG file is too short.")
    return int.from_bytes(body[5:7], "big"), int.from_bytes(body[3:5], "big")


def _scan_end(data: bytes, at: int) -> int:
    found = SCAN_END.search(data, at)
    if found is None:
        raise truncated(f"This JPEG file ends after {len(data)} bytes, within the picture.")
    return found.start()


def _needed(marker: int) -> bool:
    """Application data is of no use to a decoder, but for APP0 and APP14, which say how colours are coded."""
    return marker in {APP0, APP14} or not (APP0 <= marker <= 0xEF or marker == COMMENT)
