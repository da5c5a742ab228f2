"""The application that the web server runs."""

from __future__ import annotations

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gateway.settings")

application = get_wsgi_application()

# The apps must be loaded before anything of ours is imported.
from gateway.warming import warm_champions  # noqa: E402

warm_champions()
