"""The product's application with the benchmark's network among its backbones."""

from __future__ import annotations

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gateway.settings")

import django

django.setup()

import small_model  # noqa: E402, F401 (registers its backbone)

from gateway.wsgi import application  # noqa: E402

__all__ = ["application"]
