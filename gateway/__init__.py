"""The front door. The Celery application is loaded with the project, so that tasks bind to it in every process."""

from __future__ import annotations

from gateway.celery import app as celery_app

__all__ = ["celery_app"]
