"""Photos for the eyes of people who are logged in."""

from __future__ import annotations

import io
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
# A photo never changes under its item, so a browser may keep it; only this person's, because it took a login.
FOREVER = "private, max-age=31536000, immutable"


@require_GET
def photo(request: HttpRequest, item_id: UUID) -> HttpResponseBase:
    """Return the photo as it came."""
    item = get_object_or_404(Item.objects.only("media_digest", "media_type"), pk=item_id)
    try:
        file = media.path_of(item.media_digest).open("rb")
    except FileNotFoundError:
        raise Http404("The photo is no longer kept.") from None
    return _kept(FileResponse(file, content_type=item.media_type))


@require_GET
def thumbnail(request: HttpRequest, item_id: UUID) -> HttpResponseBase:
    """Return a small JPEG of the photo, made while decoding."""
    item = get_object_or_404(Item.objects.only("media_digest"), pk=item_id)
    try:
        small = _small(media.load(item.media_digest))
    except FileNotFoundError:
        raise Http404("The photo is no longer kept.") from None
    except InputRefused:
        raise Http404("The photo was damaged on disk.") from None
    return _kept(HttpResponse(small, content_type="image/jpeg"))


def _small(data: bytes) -> bytes:
    # Read like the door reads it, comments and EXIF left out: what it took must be shown, whatever is broken in those.
    container = walker(data)(data)
    out = io.BytesIO()
    upright_within(container, *THUMBNAIL).save(out, "JPEG", quality=80)
    return out.getvalue()


def _kept(response: HttpResponseBase) -> HttpResponseBase:
    response["Cache-Control"] = FOREVER
    return response
