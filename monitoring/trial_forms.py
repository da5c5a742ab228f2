"""The forms of the what-if page: a draft to be tried, and the same draft asked for."""

from __future__ import annotations

from collections.abc import Sequence

from django import forms

from monitoring.forms import PolicyForm, number, values_of
from policies.changes import Draft
from policies.models import LabelClass


class TrialForm(PolicyForm):
    """A draft to be tried. Nothing comes into force, so it needs neither a reason nor a version to follow."""

    reason = None  # type: ignore[assignment]
    expected = None  # type: ignore[assignment]


class AskForm(PolicyForm):
    """A draft that is asked for, with the times between which it may come into force."""

    apply_at = forms.DateTimeField(required=False, error_messages={"invalid": "The time to apply it is not a time."})
    expires_at = forms.DateTimeField(required=False, error_messages={"invalid": "The time it expires is not a time."})


def trial_form(draft: Draft, classes: Sequence[LabelClass]) -> TrialForm:
    """Return a form that shows the draft."""
    return TrialForm(classes, initial=values_of(draft, classes))


def sent_values(draft: Draft, classes: Sequence[LabelClass]) -> dict[str, str]:
    """Return what a browser would send for the draft: for hidden fields and for addresses."""
    values = values_of(draft, classes).items()
    return {name: "on" if value is True else number(value) for name, value in values if value is not False and value != ""}
