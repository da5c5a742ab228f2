"""Complaints that a test brings about itself."""

from __future__ import annotations


def expected(errors: list[str], *words: str) -> None:
    """Take the complaints with one of these words off the list; each of the words has to be in one."""
    for word in words:
        assert any(word in error for error in errors), f"nobody complained of {word}: {errors}"
    errors[:] = [error for error in errors if not any(word in error for word in words)]
