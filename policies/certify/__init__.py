"""What a level of automation may be trusted with: limits, exact tests, certificates. Pure: numpy and scipy, no Django."""

from __future__ import annotations
