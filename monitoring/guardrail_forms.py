"""What the guardrails' page sends, parsed and checked at the door."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms

from monitoring.forms import number, percent_of, share_of
from monitoring.guardrails import DEFAULTS, ONLY_NOTIFIES, Setting
from monitoring.models import Action, Guardrail, Watch
from policies.models import Line


class GuardrailsForm(forms.Form):
    """Alpha, and an action and a level for each guardrail, levels in per cent."""

    alpha = forms.FloatField(min_value=0.01, max_value=50)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Add the fields of each watch."""
        super().__init__(*args, **kwargs)
        for watch in DEFAULTS:
            actions = [Action.NOTIFY] if watch in ONLY_NOTIFIES else list(Action)
            self.fields[f"action-{watch}"] = forms.ChoiceField(choices=[(action.value, action.label) for action in actions])
            self.fields[f"level-{watch}"] = forms.FloatField(min_value=0.01, max_value=100)

    @property
    def settings(self) -> dict[Watch, Setting]:
        """The guardrails as they were set; only of a valid form."""
        data = self.cleaned_data
        return {watch: Setting(Action(data[f"action-{watch}"]), share_of(data[f"level-{watch}"])) for watch in DEFAULTS}

    @property
    def alpha_share(self) -> float:
        """Alpha as a share; only of a valid form."""
        return share_of(self.cleaned_data["alpha"])

    @property
    def problems(self) -> list[str]:
        """Every complaint as one list of sentences."""
        return [f"{name.partition('-')[2] or name}: {text}" for name, texts in self.errors.items() for text in texts]


def guardrails_form(line: Line, rails: Mapping[Watch, Guardrail]) -> GuardrailsForm:
    """Return a form that shows what the line is set to."""
    initial: dict[str, Any] = {"alpha": number(percent_of(line.alpha))}
    for watch, rail in rails.items():
        initial[f"action-{watch}"] = rail.action
        initial[f"level-{watch}"] = number(percent_of(rail.level))
    return GuardrailsForm(initial=initial)
