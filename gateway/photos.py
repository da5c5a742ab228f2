"""Photos for the eyes of people who are logged in."""

from __future__ import annotations

import io
from uuid import UUID

import numpy as np
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_GET
from PIL import Image

from gateway import media
from gateway.models import Item
from inference.images.pixels import READERS, TURNS
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
        data = media.load(item.media_digest)
    except FileNotFoundError:
        raise Http404("The photo is no longer kept.") from None
    return _kept(HttpResponse(_small(data), content_type="image/jpeg"))


def _small(data: bytes) -> bytes:
    # Read like the door reads it, comments and EXIF left out: what it took must be shown, whatever is broken in those.
    container = walker(data)(data)
    with READERS[container.media_type](io.BytesIO(container.plain)) as image:
        image.draft("RGB", THUMBNAIL)
        small = _eight_bits(image)
        small.thumbnail((THUMBNAIL[0] * 2, THUMBNAIL[1] * 2))
        turn = TURNS.get(container.orientation)
        upright = (small if turn is None else small.transpose(turn)).convert("RGB")
        upright.thumbnail(THUMBNAIL)
        out = io.BytesIO()
        upright.save(out, "JPEG", quality=80)
        return out.getvalue()


def _eight_bits(image: Image.Image) -> Image.Image:
    """Return sixteen bits scaled to eight; Pillow would cut them off."""
    if not image.mode.startswith("I"):
        image.load()
        return image
    return Image.fromarray((np.asarray(image, dtype=np.float32) / 257).round().clip(0, 255).astype(np.uint8))


def _kept(response: HttpResponseBase) -> HttpResponseBase:
    response["Cache-Control"] = FOREVER
    return response
