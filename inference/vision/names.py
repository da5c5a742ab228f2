"""What the graph calls what goes in and what comes out."""

from __future__ import annotations

INPUT, PLACES, PICTURE = "pixels", "places", "picture"
