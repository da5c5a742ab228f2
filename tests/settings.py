"""Settings of the test suite: the product's own, with what makes tests fast and closed off."""

from __future__ import annotations

import os
import tempfile
from importlib import import_module

# Read by the product's settings: nothing that a test writes may land in the working copy's own folder.
os.environ["SLUICE_VAR"] = tempfile.mkdtemp(prefix="sluice-tests-")
# Started once: the workers of a parallel run find its address in the environment that they get from here.
if os.environ.get("SLUICE_TEST_DATABASE") == "postgresql" and not os.environ.get("DATABASE_URL"):
    os.environ["DATABASE_URL"] = import_module("tests.postgres").start()
    # It goes with its server; to drop it alone would wait for a session that some thread has not closed yet.
    os.environ["SLUICE_TEST_DATABASE_STAYS"] = "true"

from gateway.settings import *  # noqa: F403

DEBUG = False
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# The test server finds files by finder, so hashed names would be 404 there.
STORAGES = {**STORAGES, "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}  # noqa: F405
MIDDLEWARE = [name for name in MIDDLEWARE if "whitenoise" not in name]  # noqa: F405 (there is no folder of collected files)
# A machine that is slow for a moment is no model that hangs; tests of that say how long they wait.
MODEL_TIMEOUT_SECONDS = 120
CELERY_TASK_ALWAYS_EAGER = True
CELERY_TASK_EAGER_PROPAGATES = True
# What a test changes holds at once; the moment for which the road remembers has tests of its own.
ROAD_CACHE_SECONDS = 0
