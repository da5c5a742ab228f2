from __future__ import annotations

from django.apps import AppConfig


class GatewayConfig(AppConfig):
    """The front door: items, decisions, referrals and the API."""

    name = "gateway"
    default_auto_field = "django.db.models.BigAutoField"
