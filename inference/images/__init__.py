"""From hostile bytes to upright pixels. Headers are walked here, so that Pillow only meets what was judged decodable."""

from __future__ import annotations
