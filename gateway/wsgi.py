"""The application that the web server runs."""

from __future__ import annotations

import gc
import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gateway.settings")

pages = get_wsgi_application()

# The apps must be loaded before anything of ours is imported.
from gateway.front import front  # noqa: E402
from gateway.warming import warm_champions  # noqa: E402

application = front(pages)

warm_champions()

# What was made so far stays: a collector that looks through it again and again would stop everybody meanwhile.
gc.collect()
gc.freeze()
