from __future__ import annotations

from django.apps import AppConfig


class MonitoringConfig(AppConfig):
    """How well it goes: the control room."""

    name = "monitoring"
    default_auto_field = "django.db.models.BigAutoField"
