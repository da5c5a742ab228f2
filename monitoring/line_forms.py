"""The forms of a line itself: a new one, its settings, its label book."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.text import slugify

from policies.lines import ClassDraft
from policies.models import LabelClass, Line


class SettingsForm(forms.ModelForm[Line]):
    """What a manager may choose for a line. It is saved by `gateway.lines`, not by the form."""

    # More would only lock the dial.
    approvals = forms.IntegerField(min_value=0, max_value=9)
    # A century: more is a slip of the finger, and no date.
    photo_days = forms.IntegerField(min_value=1, max_value=36_500, required=False)

    class Meta:
        model = Line
        fields = [
            "name",
            "question",
            "reveal",
            "keep_zoom",
            "unique_external_ids",
            "retrain_after_labels",
            "retrain_after_hours",
            "approvals",
            "photo_days",
        ]


class BookForm(forms.ModelForm[LabelClass]):
    """One class's entry in the label book."""

    class Meta:
        model = LabelClass
        fields = ["name", "definition", "examples", "counter_examples"]
        widgets = {name: forms.Textarea(attrs={"rows": 3}) for name in ("definition", "examples", "counter_examples")}


class NewLineForm(forms.Form):
    """A line to be: its question, and its classes one a row, the good one first."""

    name = forms.CharField(max_length=100)
    question = forms.CharField(max_length=200)
    classes = forms.CharField(max_length=2000)

    def clean_name(self) -> str:
        """The address is made of the name, so it needs letters, and one that no line has."""
        name: str = self.cleaned_data["name"].strip()
        if not slugify(name):
            raise forms.ValidationError("The name needs letters or digits that can be part of an address.")
        if Line.objects.filter(slug=slugify(name)[:50]).exists():
            raise forms.ValidationError("There is a line of this name already.")
        return name

    def clean_classes(self) -> list[ClassDraft]:
        """Return the classes as drafts."""
        names = [row.strip() for row in self.cleaned_data["classes"].splitlines() if row.strip()]
        keys = [slugify(name).replace("-", "_")[:40] for name in names]
        if not all(keys):
            raise forms.ValidationError("Each class needs letters or digits in its name.")
        return [ClassDraft(key, name[:60]) for key, name in zip(keys, names, strict=True)]

    @property
    def slug(self) -> str:
        """The line's address; only of a valid form."""
        return str(slugify(self.cleaned_data["name"]))[:50]


def book_forms(line: Line, data: Any = None) -> dict[str, BookForm]:
    """Return a form for each class of the line, by its key."""
    return {entry.key: BookForm(data, instance=entry, prefix=entry.key) for entry in line.classes.order_by("position")}
