"""What the webhooks' pages send, parsed and checked at the door."""

from __future__ import annotations

from typing import Any

from django import forms

from gateway.webhooks.models import DeliveryState
from gateway.webhooks.types import TYPES


class EndpointForm(forms.Form):
    """An endpoint to be."""

    name = forms.CharField(max_length=100)
    url = forms.CharField(max_length=500)
    line = forms.SlugField(required=False)
    types = forms.MultipleChoiceField()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Offer the types that there are."""
        super().__init__(*args, **kwargs)
        self.fields["types"] = forms.MultipleChoiceField(choices=[(name, one.words) for name, one in TYPES.items()])


def state_of(text: str) -> str:
    """Return a filter's state; none where somebody sent something else."""
    return text if text in DeliveryState.values else ""
