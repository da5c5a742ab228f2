"""The forms of the promises page: the limits of a line, and what an audit rate would buy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.forms import BoundField

from monitoring.forms import percent_of, share_of
from monitoring.planner import Expected, Target
from monitoring.promise_words import denominator_of, name_of, wrong_of
from policies.models import LabelClass, Limit, LimitForm, Line


@dataclass(frozen=True, slots=True)
class LimitField:
    """One limit as the page asks for it."""

    name: str
    # What it is a share of, and what makes such an item wrong.
    denominator: str
    wrong: str
    field: BoundField


class LimitsForm(forms.Form):
    """For each class the two forms of a limit, in per cent; an empty one is no limit. And the confidence of them all."""

    confidence = forms.FloatField(min_value=50, max_value=99.999)

    def __init__(self, classes: Sequence[LabelClass], *args: Any, **kwargs: Any) -> None:
        """Add two fields for each class of the line."""
        super().__init__(*args, **kwargs)
        self.classes = classes
        for entry in classes:
            for form in LimitForm.values:
                self.fields[f"{form}-{entry.key}"] = forms.FloatField(
                    required=False, min_value=0, max_value=99.999, label=name_of(entry, form)
                )

    @property
    def promise(self) -> dict[tuple[str, str], float]:
        """The limits that were stated; only of a valid form."""
        return {
            (entry.key, form): share_of(value)
            for entry in self.classes
            for form in LimitForm.values
            if (value := self.cleaned_data[f"{form}-{entry.key}"]) is not None
        }

    @property
    def delta(self) -> float:
        """The chance that any of the limits is broken; only of a valid form."""
        return share_of(100 - self.cleaned_data["confidence"])

    @property
    def rows(self) -> list[tuple[LabelClass, list[LimitField]]]:
        """The fields by class."""
        return [
            (
                entry,
                [
                    LimitField(
                        name_of(entry, form),
                        denominator_of(entry, form),
                        wrong_of(entry, form),
                        self[f"{form}-{entry.key}"],
                    )
                    for form in LimitForm.values
                ],
            )
            for entry in self.classes
        ]

    @property
    def problems(self) -> list[str]:
        """Every complaint with the name of its field."""
        return [
            f"{self.fields[name].label or name.capitalize()}: {message}"
            for name, messages in self.errors.items()
            for message in messages
        ]


def limits_form(line: Line, classes: Sequence[LabelClass], limits: Sequence[Limit]) -> LimitsForm:
    """Return a form that shows what the line promises."""
    stated = {f"{limit.form}-{limit.label_class.key}": percent_of(limit.epsilon) for limit in limits}
    return LimitsForm(classes, initial=stated | {"confidence": percent_of(1 - line.delta)})


class PlannerForm(forms.Form):
    """What is asked of the planner, in per cent and items a day."""

    limit = forms.FloatField(min_value=0.01, max_value=50, label="Limit, %")
    confidence = forms.FloatField(min_value=50, max_value=99.999, label="Confidence, %")
    volume = forms.FloatField(min_value=0, max_value=100_000_000, label="Items a day")
    rate = forms.FloatField(min_value=0, max_value=100, label="Audit rate, %")
    error = forms.FloatField(min_value=0, max_value=100, label="Error rate you expect, %")
    share = forms.FloatField(min_value=0.1, max_value=100, label="Share of items that it counts, %")

    def target(self, alpha: float) -> Target:
        """What is to be certified and watched; only of a valid form."""
        data = self.cleaned_data
        return Target(share_of(data["limit"]), share_of(100 - data["confidence"]), alpha)

    @property
    def expected(self) -> Expected:
        """What the line is expected to do; only of a valid form."""
        data = self.cleaned_data
        return Expected(data["volume"], share_of(data["error"]), share_of(data["share"]))

    @property
    def audit_rate(self) -> float:
        """The audit rate as a share; only of a valid form."""
        return share_of(self.cleaned_data["rate"])
