"""Servers that only score, for `road.py --peers`: each file runs in an environment of its own and imports nothing of ours."""

from __future__ import annotations
