"""Icons are those of their package, and drawn once."""

from __future__ import annotations

import lucide
import pytest
from django.template import Context, Template

TEMPLATE = Template('{% load lucide %}{% lucide name size=18 class="icon" aria_hidden="true" %}')


def test_an_icon_is_the_one_of_the_package() -> None:
    icon = TEMPLATE.render(Context({"name": "gauge"}))
    assert icon == lucide._render_icon("gauge", 18, **{"class": "icon", "aria_hidden": "true"})
    assert icon.startswith("<svg ")


def test_it_is_drawn_once(monkeypatch: pytest.MonkeyPatch) -> None:
    first = TEMPLATE.render(Context({"name": "anchor"}))
    monkeypatch.setattr(lucide, "_render_icon", None)
    assert TEMPLATE.render(Context({"name": "anchor"})) == first


def test_an_icon_that_there_is_not_is_an_error() -> None:
    with pytest.raises(lucide.IconDoesNotExist):
        TEMPLATE.render(Context({"name": "no-such-icon"}))


def test_what_comes_from_outside_is_no_markup() -> None:
    icon = Template("{% load lucide %}{% lucide 'gauge' class=given %}").render(Context({"given": '"><script>'}))
    assert "<script" not in icon
