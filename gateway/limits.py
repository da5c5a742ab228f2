"""The limits on what a camera may send, from the settings."""

from __future__ import annotations

from django.conf import settings

from inference.kinds.base import Limits


def photo_limits() -> Limits:
    """Return the largest photo taken."""
    return Limits(settings.MAX_PHOTO_BYTES, settings.MAX_PHOTO_SIDE, settings.MAX_PHOTO_PIXELS)
