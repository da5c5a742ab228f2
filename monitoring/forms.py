"""What the control room's forms send, parsed and checked at the door."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django import forms

from policies.changes import Draft, draft_of
from policies.models import LabelClass, PolicyVersion
from policies.modes import NOTCHES, Mode

# Per cent are typed and shares are kept. Ten digits give back exactly the number that was typed.
DIGITS = 10


@dataclass(frozen=True, slots=True)
class ThresholdRow:
    """One class as the form shows it. `text` is its threshold in per cent, or what was typed."""

    key: str
    alone: bool
    text: str


class PolicyForm(forms.Form):
    """The dial with everything behind it: one form, one policy version."""

    mode = forms.ChoiceField(choices=[(notch.mode.value, notch.title) for notch in NOTCHES])
    reason = forms.CharField(max_length=500, error_messages={"required": "Say why in a few words: it goes into the history."})
    expected = forms.IntegerField(min_value=1)
    audit_percent = forms.FloatField(min_value=0, max_value=100)
    overlap = forms.IntegerField(min_value=1, max_value=9)
    due_minutes = forms.FloatField(min_value=0, max_value=1_000_000)
    fail_safe = forms.CharField(max_length=40)

    def __init__(self, classes: Sequence[LabelClass], *args: Any, **kwargs: Any) -> None:
        """Add a switch and a threshold for each class of the line."""
        super().__init__(*args, **kwargs)
        self.classes = classes
        for entry in classes:
            self.fields[f"alone-{entry.key}"] = forms.BooleanField(required=False)
            self.fields[f"threshold-{entry.key}"] = forms.FloatField(required=False, min_value=0, max_value=100)

    def clean(self) -> dict[str, Any]:
        """A class that the model may decide alone needs a threshold above zero."""
        cleaned = super().clean() or {}
        for entry in self.classes:
            if cleaned.get(f"alone-{entry.key}") and not cleaned.get(f"threshold-{entry.key}"):
                self.add_error(f"threshold-{entry.key}", f"Say from how many per cent on the model decides {entry.name} alone.")
        return cleaned

    @property
    def draft(self) -> Draft:
        """The values as a policy draft; only of a valid form."""
        data = self.cleaned_data
        return Draft(
            mode=Mode(data["mode"]),
            thresholds={
                entry.key: share_of(data[f"threshold-{entry.key}"]) for entry in self.classes if data[f"alone-{entry.key}"]
            },
            audit_rate=share_of(data["audit_percent"]),
            overlap=data["overlap"],
            due_seconds=round(data["due_minutes"] * 60),
            fail_safe=data["fail_safe"],
        )

    @property
    def rows(self) -> dict[str, ThresholdRow]:
        """The thresholds as the page shows them, by class."""
        return {
            entry.key: ThresholdRow(
                entry.key,
                bool(self[f"alone-{entry.key}"].value()),
                number(self[f"threshold-{entry.key}"].value()),
            )
            for entry in self.classes
        }

    @property
    def problems(self) -> list[str]:
        """Every complaint as one list of sentences."""
        return [str(message) for messages in self.errors.values() for message in messages]


def form_of(policy: PolicyVersion, classes: Sequence[LabelClass]) -> PolicyForm:
    """Return a form that shows the policy in force."""
    return PolicyForm(classes, initial=values_of(draft_of(policy), classes) | {"expected": policy.number})


def values_of(draft: Draft, classes: Sequence[LabelClass]) -> dict[str, Any]:
    """Return a draft as the form's fields hold it."""
    values: dict[str, Any] = {
        "mode": draft.mode.value,
        "audit_percent": percent_of(draft.audit_rate),
        "overlap": draft.overlap,
        "due_minutes": round(draft.due_seconds / 60, DIGITS),
        "fail_safe": draft.fail_safe,
    }
    for entry in classes:
        threshold = draft.thresholds.get(entry.key)
        values[f"alone-{entry.key}"] = threshold is not None
        values[f"threshold-{entry.key}"] = "" if threshold is None else percent_of(threshold)
    return values


def percent_of(share: float) -> float:
    """Return a share in per cent without the dust of binary fractions."""
    return round(share * 100, DIGITS)


def share_of(percent: float) -> float:
    """Return per cent as a share without the dust of binary fractions."""
    return round(percent / 100, DIGITS)


def number(value: object) -> str:
    """Return a number as an input field takes it: no trailing zeros, and a dot whatever the language."""
    return f"{value:.10g}" if isinstance(value, int | float) else str(value or "")


class ConveyorForm(forms.Form):
    """The demo conveyor's switch and settings."""

    running = forms.TypedChoiceField(choices=[("1", "Start"), ("0", "Stop"), ("", "Keep")], coerce=str, required=False)
    rate = forms.FloatField(min_value=0.1, max_value=20)
    defect_percent = forms.FloatField(min_value=0, max_value=100)
    light_percent = forms.FloatField(min_value=10, max_value=100)


class TokenForm(forms.Form):
    """A machine's key to be."""

    name = forms.CharField(max_length=100)
    line = forms.SlugField(required=False)
    scopes = forms.MultipleChoiceField()

    def __init__(self, scopes: dict[str, str], *args: Any, **kwargs: Any) -> None:
        """Offer the scopes that there are."""
        super().__init__(*args, **kwargs)
        self.fields["scopes"] = forms.MultipleChoiceField(choices=list(scopes.items()))
