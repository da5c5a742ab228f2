"""Photos for the eyes of people who are logged in."""

from __future__ import annotations

import io
from datetime import datetime
from uuid import UUID

from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_GET

from gateway import media
from gateway.models import Item
from inference.errors import InputRefused
from inference.images.pixels import upright_within
from inference.images.sniff import walker

THUMBNAIL = (320, 240)
# A photo never changes under its item, so a browser may keep it; only this person's, because it took a login. A day, as
# one that is deleted here must not live on elsewhere.
A_DAY = "private, max-age=86400, immutable"
# Sent without consent: no browser keeps it. What stands in for a deleted one is not kept either.
NOT_AT_ALL = "private, no-store"
# Browsers draw the body of an <img> whatever its status, so that every page says what became of the photo.
DELETED = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 320 240" width="320" height="240" role="img">
<rect width="320" height="240" fill="#20242b"/><g fill="#c9d1dc" font-family="sans-serif" font-size="18" text-anchor="middle">
<text x="160" y="112">Photo deleted</text><text x="160" y="140">{day}</text></g></svg>"""


@require_GET
def photo(request: HttpRequest, item_id: UUID) -> HttpResponseBase:
    """Return the photo as it came."""
    item = get_object_or_404(Item.objects.only("media_digest", "media_type", "consent", "photo_deleted_at"), pk=item_id)
    if item.photo_deleted_at is not None:
        return _deleted(item.photo_deleted_at)
    try:
        file = media.open_file(item.media_digest)
    except FileNotFoundError:
        raise Http404("The photo is no longer kept.") from None
    return _kept(item, FileResponse(file, content_type=item.media_type))


@require_GET
def thumbnail(request: HttpRequest, item_id: UUID) -> HttpResponseBase:
    """Return a small JPEG of the photo, made while decoding."""
    item = get_object_or_404(Item.objects.only("media_digest", "consent", "photo_deleted_at"), pk=item_id)
    if item.photo_deleted_at is not None:
        return _deleted(item.photo_deleted_at)
    try:
        small = _small(media.load(item.media_digest))
    except FileNotFoundError:
        raise Http404("The photo is no longer kept.") from None
    except InputRefused:
        raise Http404("The photo was damaged on disk.") from None
    return _kept(item, HttpResponse(small, content_type="image/jpeg"))


def _small(data: bytes) -> bytes:
    # Read like the door reads it, comments and EXIF left out: what it took must be shown, whatever is broken in those.
    container = walker(data)(data)
    out = io.BytesIO()
    upright_within(container, *THUMBNAIL).save(out, "JPEG", quality=80)
    return out.getvalue()


def _deleted(at: datetime) -> HttpResponse:
    """410 with a picture that says so."""
    response = HttpResponse(DELETED.format(day=f"{at:%Y-%m-%d}"), status=410, content_type="image/svg+xml")
    response["Cache-Control"] = NOT_AT_ALL
    return response


def _kept(item: Item, response: HttpResponseBase) -> HttpResponseBase:
    response["Cache-Control"] = A_DAY if item.consent else NOT_AT_ALL
    return response
