from __future__ import annotations

from django.apps import AppConfig


class PoliciesConfig(AppConfig):
    """What should happen: modes, thresholds, policy versions."""

    name = "policies"
    default_auto_field = "django.db.models.BigAutoField"
