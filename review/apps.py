from __future__ import annotations

from django.apps import AppConfig


class ReviewConfig(AppConfig):
    """Where people decide: claims, judgements, labels, the console."""

    name = "review"
    default_auto_field = "django.db.models.BigAutoField"
