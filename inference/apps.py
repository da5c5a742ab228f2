from __future__ import annotations

from django.apps import AppConfig


class InferenceConfig(AppConfig):
    """What the model says: kinds, runtimes, training."""

    name = "inference"
    default_auto_field = "django.db.models.BigAutoField"
