"""From the bytes of an archive to items that passed the door, ahead of the road: read, match with the manifest, decode."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from django.conf import settings

from gateway import door, manifests, tars, zips
from gateway.archives import Body, Member, Members, is_junk, shorten, unzipped
from gateway.arrivals import Arrival
from gateway.errors import ArchiveUnfinished, BadField, BodyTooLarge, GatewayError, MemberMissing
from gateway.manifests import Manifest
from gateway.metrics import stage
from gateway.pipes import Pipe
from inference.errors import InputRefused
from policies.models import Line

# What waits decoded may take so much memory an archive.
AHEAD_BYTES = 24 * 1024 * 1024
GZIP, ZIP = b"\x1f\x8b", b"PK"


@dataclass(frozen=True, slots=True)
class Order:
    """What the caller wants of an archive. `classes` are the line's, so that reading needs no database."""

    line: Line
    classes: Sequence[str]
    # Whether files without an external id of their own take their name for it.
    ids_from_names: bool = False


@dataclass(frozen=True, slots=True)
class Unloaded:
    """One photo of an archive, as it passed the door or not. The index is missing where the photo is."""

    index: int | None
    file: str
    read: Arrival | door.Refusal


@dataclass(slots=True)
class Unloading:
    """How far reading came. It is written by the thread that reads."""

    pipe: Pipe[Unloaded] = field(default_factory=lambda: Pipe(AHEAD_BYTES))
    members: int = 0
    skipped: int = 0
    # Why not everything was read; it stands until everything was.
    problem: Exception | None = field(default_factory=ArchiveUnfinished)


def unload(order: Order, body: Body, into: Unloading) -> None:
    """Read the archive to its end, or until nobody takes what it holds. What is wrong with it goes to `into.problem`."""
    try:
        for one in _photos(order, body, into):
            if not into.pipe.put(one, _weight(one)):
                return
        into.problem = None
    except GatewayError as error:
        into.problem = error
    finally:
        into.pipe.finish()


def open_archive(body: Body) -> Members:
    """Return the files of an archive, which is what its first bytes say it is."""
    start = body.upto(2)
    body.give_back(start)
    if not start:
        raise BadField("The body is empty: an archive is tar, tar packed with gzip, or zip.")
    if start == GZIP:
        body = Body(unzipped(body), settings.MAX_ARCHIVE_BYTES)
    members = zips.members if start == ZIP else tars.members
    return members(body, settings.MAX_PHOTO_BYTES)


def _photos(order: Order, body: Body, into: Unloading) -> Iterator[Unloaded]:
    manifest: Manifest | None = None
    for member in open_archive(body):
        file = shorten(member.name)
        if is_junk(file):
            into.skipped += 1
        elif file == manifests.NAME:
            if manifest is not None or into.members:
                raise BadField(f"{manifests.NAME} has to come once, and before the photos.")
            manifest = _manifest(member)
        else:
            _refuse_more(into.members)
            yield Unloaded(into.members, file, _read(order, member, file, manifest))
            into.members += 1
    if not into.members:
        raise BadField("There is no photo in the archive.")
    for file in manifest.missing() if manifest else []:
        yield Unloaded(None, file, MemberMissing(f"{manifests.NAME} tells of it, and it is not in the archive."))


def _manifest(member: Member) -> Manifest:
    if member.refusal is not None:
        raise member.refusal
    return Manifest(member.data)


def _read(order: Order, member: Member, file: str, manifest: Manifest | None) -> Arrival | door.Refusal:
    # It came, whatever becomes of it.
    fields = manifest.fields(file) if manifest else {}
    if member.refusal is not None:
        return member.refusal
    if order.ids_from_names and not fields.get("external_id"):
        fields["external_id"] = PurePosixPath(file).stem
    try:
        with stage("door"):
            return door.arrival(order.line, member.data, fields, order.classes)
    except (InputRefused, BadField) as refusal:
        return refusal


def _refuse_more(members: int) -> None:
    if members >= settings.MAX_ARCHIVE_ITEMS:
        raise BodyTooLarge(f"An archive holds at most {settings.MAX_ARCHIVE_ITEMS} photos.")


def _weight(one: Unloaded) -> int:
    return len(one.read.data) + one.read.decoded.pixels.nbytes if isinstance(one.read, Arrival) else 1000
