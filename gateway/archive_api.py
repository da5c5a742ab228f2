"""The door for archives: photos in a stream, and a line of JSON for each as soon as it is decided."""

from __future__ import annotations

import contextvars
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.db import connections
from django.http import HttpRequest, StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request

from gateway import door, idempotency
from gateway.api import KEY, REFUSED, ApiView
from gateway.archives import Body, Read
from gateway.bulk import Bulk, dump
from gateway.errors import ArchivesBusy, ArchiveStalled, BadField, LengthRequired, MediaTypeRefused
from gateway.problems import details_of
from gateway.schemas import ArchiveLineSchema
from gateway.unloading import Order, Unloading, unload

# What an archive really is, its first bytes say; under these types, and those of raw bodies, it may come.
TAKEN = ("application/x-tar", "application/gzip", "application/zip")
ALIASES = {"", "application/x-gzip", "application/x-gtar", "application/x-compressed-tar", "application/x-zip-compressed"}
LINES = "application/x-ndjson"
# Seconds between two looks whether anything still moves.
TICK = 1.0
_places = threading.BoundedSemaphore(settings.MAX_ARCHIVES)
# Whose archive was given up keeps a thread until its connection ends; there may be more of these than archives on the road.
STUCK = 4
_connections = threading.BoundedSemaphore(settings.MAX_ARCHIVES * STUCK)


class LinesRenderer(JSONRenderer):
    """Lets a caller ask for what it gets; the lines are written elsewhere."""

    media_type = LINES
    format = "ndjson"


class ItemArchive(ApiView):
    """The photos of an archive."""

    scopes = {"POST": "items:write"}
    http_method_names = ["post", "options"]
    parser_classes: list[Any] = []
    renderer_classes = [JSONRenderer, LinesRenderer]

    @extend_schema(
        operation_id="items_create_archive",
        request=dict.fromkeys(TAKEN, OpenApiTypes.BINARY),
        parameters=[KEY, OpenApiParameter("external_ids", str, enum=["names"], description="Take external ids from names.")],
        responses={
            (200, LINES): ArchiveLineSchema(many=True),
            **dict.fromkeys([408, 409, 411, 413, 415, 422, 503], REFUSED),
        },
    )
    def post(self, request: Request, slug: str) -> StreamingHttpResponse:
        """Send photos in a tar or zip archive; a line comes back for each as it is decided, and one with the totals."""
        line = door.open_for_items(slug, self.token)
        _refuse_type(request._request)
        order = Order(line, door.classes_of(line), _ids_from_names(request._request))
        key = request.headers.get("Idempotency-Key", "")
        idempotency.check_key(key)
        body = Body(_reader(request._request), settings.MAX_ARCHIVE_BYTES)
        unloading = Unloading()
        answer = Lines(Bulk(line, self.token, key, unloading), body)
        answer.begin(order)
        # For a proxy in between: the lines are wanted now.
        return StreamingHttpResponse(answer, content_type=LINES, headers={"X-Accel-Buffering": "no"})


@dataclass(slots=True)
class Lines:
    """The answer: what the archive's threads put out, and the end of it. Closing it ends them."""

    bulk: Bulk
    body: Body
    clock: Callable[[], float] = time.monotonic
    _reading: threading.Thread | None = None
    _deciding: threading.Thread | None = None
    _ready: bytes = b""
    _told: bool = False
    _held: list[threading.Semaphore] = field(default_factory=list)
    _stalled: ArchiveStalled | None = None

    def begin(self, order: Order) -> None:
        """Set off, and return when there is something to tell. What stopped it before that is raised."""
        begun = False
        try:
            self._hold(_connections)
            self._hold(_places)
            self._reading = start("unload", lambda: unload(order, self.body, self.bulk.unloading))
            self._deciding = start("bulk", self.bulk.run)
            self._ready = self._wait()
            # Where somebody still has to be waited for, the answer has to be on its way before.
            if not self._ready and (problem := self._problem()) is not None and not self._reading.is_alive():
                raise problem
            begun = True
        finally:
            if not begun:
                self.close()

    def __iter__(self) -> Lines:
        return self

    def __next__(self) -> bytes:
        if self._told:
            raise StopIteration
        lines, self._ready = self._ready or self._wait(), b""
        if not lines:
            self._told = True
            return dump(self._end())
        return lines

    def close(self) -> None:
        """Let what is on the road arrive, take nothing more, and make room for other archives.

        It returns only when nobody reads the body any more: the server frees the body after this, and would wait for its
        reader with all of Python's threads stopped. Whoever sends nothing and does not go keeps its thread until it goes.
        """
        self.bulk.stop()
        if self._deciding is not None:
            self._deciding.join()
        if _places in self._held:
            self._held.remove(_places)
            _places.release()
        if self._reading is not None:
            self._reading.join()
        while self._held:
            self._held.pop().release()

    def _hold(self, places: threading.Semaphore) -> None:
        if not places.acquire(blocking=False):
            raise ArchivesBusy(f"{settings.MAX_ARCHIVES} archives are on the road already; try again in a moment.")
        self._held.append(places)

    def _wait(self) -> bytes:
        """Return the next lines; nothing at the end, or where nothing has moved for too long."""
        outbox, seen, since = self.bulk.outbox, -1, self.clock()
        while not outbox.ended:
            if lines := outbox.take(1, wait=TICK):
                return lines[0]
            moved = self.body.taken + self.bulk.unloading.pipe.put_ever
            if moved != seen:
                seen, since = moved, self.clock()
            elif self.clock() - since >= settings.ARCHIVE_PATIENCE_SECONDS:
                self._stalled = ArchiveStalled(f"Nothing of it came for {settings.ARCHIVE_PATIENCE_SECONDS} seconds.")
                self.bulk.stop()
        return b""

    def _problem(self) -> Exception | None:
        return self._stalled or self.bulk.problem

    def _end(self) -> dict[str, Any]:
        bulk, problem = self.bulk, self._problem()
        told = {} if problem is None else {"problem": details_of(problem)}
        counts = {"taken": bulk.taken, "replayed": bulk.replayed, "refused": bulk.refused}
        return {"complete": problem is None, **told, "total": {**counts, "skipped": bulk.unloading.skipped}}


def start(name: str, work: Callable[[], None]) -> threading.Thread:
    """Start a thread that leaves no connection to the database behind."""

    def run() -> None:
        try:
            work()
        finally:
            connections.close_all()

    # What is logged there is about the same request.
    thread = threading.Thread(target=contextvars.copy_context().run, args=(run,), name=name, daemon=True)
    thread.start()
    return thread


def _refuse_type(request: HttpRequest) -> None:
    if (request.content_type or "") not in {*TAKEN, *ALIASES, *door.RAW}:
        raise MediaTypeRefused(f"An archive is {', '.join(TAKEN)}, not {request.content_type}.")


def _ids_from_names(request: HttpRequest) -> bool:
    unknown = sorted(set(request.GET) - {"external_ids"})
    if unknown:
        raise BadField(f"There is no field {', '.join(unknown)}; an archive has external_ids, and the rest in its manifest.")
    wanted = request.GET.get("external_ids", "")
    if wanted not in {"", "names"}:
        raise BadField("external_ids can be names, or left out.")
    return bool(wanted)


def _reader(request: HttpRequest) -> Read:
    """Return what reads the body: by its length, or to its end where the server knows that."""
    if not request.headers.get("Transfer-Encoding"):
        return request.read
    if not request.META.get("wsgi.input_terminated"):
        raise LengthRequired("Send the archive with a Content-Length; this server cannot tell where a chunked body ends.")
    read: Read = request.META["wsgi.input"].read
    return read
