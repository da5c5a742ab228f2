"""What pages complain about: refused scripts, missing files, exceptions."""

from __future__ import annotations

from playwright.sync_api import Page


def watched(page: Page, errors: list[str]) -> Page:
    """Write what the page complains about into `errors`; return the page."""
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    return page


def expected(errors: list[str], *words: str) -> None:
    """Take the complaints with one of these words off the list; each of the words has to be in one."""
    for word in words:
        assert any(word in error for error in errors), f"nobody complained of {word}: {errors}"
    errors[:] = [error for error in errors if not any(word in error for word in words)]
