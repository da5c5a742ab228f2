from __future__ import annotations
import pytest
from tests.browser.town import furnish


def test_shots(line, ines, max_, now, page_of, site):
    furnish(line, ines, max_, now)
    for name, size in (("office", {"width": 1366, "height": 768}), ("portrait", {"width": 820, "height": 1180})):
        page = page_of(max_)
        page.set_viewport_size(size)
        for what, path in (("list", "/webhooks/"), ("one", "/webhooks/1/"), ("home", "/")):
            page.goto(site + path)
            if what == "one":
                page.locator("details summary").nth(1).click()
            for theme in ("dark", "light"):
                page.evaluate(f"document.documentElement.dataset.theme='{theme}'")
                page.screenshot(path=f"/tmp/h4-shots/{what}-{name}-{theme}.png", full_page=True)
