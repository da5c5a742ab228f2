from __future__ import annotations

from django.apps import AppConfig
from django.core.checks import register

from gateway.checks import check_settings


class GatewayConfig(AppConfig):
    """The front door: items, decisions, referrals and the API."""

    name = "gateway"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Look at the settings whenever the system checks run."""
        register(check_settings)
