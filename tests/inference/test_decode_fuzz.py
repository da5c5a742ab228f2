"""Whatever the bytes, decoding gives a picture or a refusal."""

from __future__ import annotations

import random
import struct
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference.errors import InputRefused
from inference.kinds import Decoded, Limits
from tests.inference.pictures import decode, encoded, gradient, jpeg_frame, png_header

LIMITS = Limits(max_bytes=1_000_000, max_side=300, max_pixels=90_000)
SEEDS = [
    encoded(gradient(20, 14), "JPEG"),
    encoded(gradient(20, 14), "JPEG", progressive=True),
    encoded(gradient(20, 14).convert("CMYK"), "JPEG"),
    encoded(gradient(20, 14), "PNG"),
    encoded(gradient(20, 14).quantize(8), "PNG", transparency=1),
    encoded(gradient(20, 14), "WEBP"),
    encoded(gradient(20, 14), "WEBP", lossless=True),
    encoded(gradient(20, 14), "WEBP", save_all=True, append_images=[gradient(20, 14)]),
]


def outcome(data: bytes) -> str:
    """What became of it; anything but a picture or a refusal escapes as an error of the test."""
    try:
        found = decode(data, LIMITS)
    except InputRefused as refusal:
        return refusal.code
    assert isinstance(found, Decoded)
    assert found.pixels.shape == (224, 224, 3)
    return "decoded"


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=200), st.sampled_from([b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF\x40\0\0\0WEBP"]))
def test_arbitrary_bytes_behind_a_signature(data, signature):
    assert outcome(signature + data) != "decoded"


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(SEEDS), st.lists(st.tuples(st.integers(0, 10_000), st.integers(1, 255)), min_size=1, max_size=6))
def test_flipped_bytes(data, flips):
    damaged = bytearray(data)
    for at, by in flips:
        damaged[at % len(damaged)] ^= by
    outcome(bytes(damaged))


def with_true_checksums(data: bytes) -> bytes:
    """The chunks of a PNG file with their checksums made right, so that damage reaches the decoder."""
    kept, at = [data[:8]], 8
    while at + 12 <= len(data):
        end = at + 8 + int.from_bytes(data[at : at + 4], "big")
        if end + 4 > len(data):
            break
        kept.append(data[at:end] + struct.pack(">I", zlib.crc32(data[at + 4 : end])))
        at = end + 4
    return b"".join(kept)


@pytest.mark.parametrize("seed", range(4))
def test_damage_behind_true_checksums(seed):
    draw = random.Random(seed)
    found = set()
    for _ in range(60):
        damaged = bytearray(SEEDS[draw.choice([3, 4])])
        for _ in range(draw.randint(1, 3)):
            damaged[draw.randrange(16, len(damaged))] = draw.randrange(256)
        found.add(outcome(with_true_checksums(bytes(damaged))))
    assert found > {"image-corrupt"}


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(SEEDS[:5]), st.one_of(st.just(-1), st.integers(0, 2_000)), st.sampled_from([0, 8, 200]))
def test_a_second_size_anywhere_is_never_decoded(data, at, side):
    """Both sizes are within the limits: which of them counts must not be left to the decoder."""
    if data[:4] == b"\x89PNG":
        first, last, another = 33, 12, png_header(side, side) if side else data[8:33]
    else:
        first, last, another = 2, 2, jpeg_frame(side or 14, side or 20)
    at = first + at % (len(data) - first - last + 1)
    assert outcome(data[:at] + another + data[at:]) != "decoded"


@settings(max_examples=80, deadline=None)
@given(st.sampled_from(SEEDS), st.integers(0, 2_000), st.binary(max_size=30))
def test_bytes_put_in_between(data, at, extra):
    at %= len(data)
    outcome(data[:at] + extra + data[at:])
