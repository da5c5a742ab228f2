"""Every setting of Sluice. It runs with no environment at all; what is wrong is found by `manage.py check`."""

from __future__ import annotations

import hashlib
import os
import secrets
import tempfile
from pathlib import Path

import django_stubs_ext
from csp.constants import NONE, SELF

from gateway.databases import database
from gateway.environment import buckets, env_bool, env_int, env_list, env_str

django_stubs_ext.monkeypatch()

BASE_DIR = Path(__file__).resolve().parent.parent

# Everything the program writes lives under one folder: database, photos, weights, logs.
VAR_DIR = Path(env_str("SLUICE_VAR", str(BASE_DIR / "var"))).resolve()
VAR_DIR.mkdir(parents=True, exist_ok=True)

DEBUG = env_bool("DEBUG", False)


def _kept_secret(path: Path) -> str:
    """Return the secret kept in `path`, made on first use so that nobody has to invent one."""
    try:
        with path.open("x") as file:
            path.chmod(0o600)
            file.write(secrets.token_urlsafe(48))
    except FileExistsError:
        pass
    return path.read_text()


SECRET_KEY = env_str("SECRET_KEY") or _kept_secret(VAR_DIR / "secret_key")
ALLOWED_HOSTS = env_list("ALLOWED_HOSTS", ["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env_list("CSRF_TRUSTED_ORIGINS", [])

INSTALLED_APPS = [
    "policies",
    "inference",
    "gateway",
    "review",
    "monitoring",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django_htmx",
    "csp",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
]

# What is around the API, whose requests are of machines and carry a token. ShortChains in MIDDLEWARE sends them this way.
API_MIDDLEWARE = ["django.middleware.security.SecurityMiddleware", "gateway.body_limits.BodyLimits"]
MIDDLEWARE = [
    # Outermost: whatever becomes of a request, it has an id, a time and a line in the log.
    "gateway.access.Access",
    "gateway.chains.ShortChains",
    "django.middleware.security.SecurityMiddleware",
    # Before anything reads a body.
    "gateway.body_limits.BodyLimits",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "gateway.chains.Policy",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    # Private by default: the API and the health checks opt out with `login_not_required`.
    "gateway.login.LoginRequired",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "gateway.unstorable.RefuseUnstorable",
]
# And around the console's JSON: the same, without what has something to do only around a page.
CONSOLE_MIDDLEWARE = [name for name in MIDDLEWARE[2:] if not any(one in name for one in ("whitenoise", "messages", "htmx"))]

ROOT_URLCONF = "gateway.urls"
WSGI_APPLICATION = "gateway.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "gateway.roles.context",
            ],
        },
    },
]

# --- Database ---------------------------------------------------------------------------------------------------------

# What an answered item survives. full: a power cut; photo and record are synced before the answer. normal: the end of the
# program, kill -9 included; a power cut may take the last half minute of items and photos with it.
DURABILITY = env_str("DURABILITY", "full").lower()
# SQLite's own word for it: FULL syncs every commit, NORMAL only now and then.
SQLITE_SYNCHRONOUS = env_str("SQLITE_SYNCHRONOUS", "NORMAL" if DURABILITY == "normal" else "FULL")

# Unset, a SQLite file in VAR_DIR; else postgresql://user:password@host:5432/name, or sqlite:///path.
DATABASE_URL = env_str("DATABASE_URL")
DATABASES = {"default": database(DATABASE_URL, VAR_DIR, synchronous=SQLITE_SYNCHRONOUS)}

# --- Background work --------------------------------------------------------------------------------------------------

# One setting names the broker. Where it is absent, `manage.py serve` starts an embedded one on this socket. The socket is
# in the temporary folder because a path of a socket may not be longer than about a hundred bytes.
EMBEDDED_BROKER_SOCKET = (
    Path(tempfile.gettempdir()) / f"sluice-{hashlib.sha256(str(VAR_DIR).encode()).hexdigest()[:12]}" / "broker.sock"
)
REDIS_URL = env_str("REDIS_URL")
CELERY_BROKER_URL = REDIS_URL or f"redis+socket://{EMBEDDED_BROKER_SOCKET}"
# Results are rows of our own tables, so that a page can show them and a restart keeps them.
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# The worker logs as the web server does.
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_REDIRECT_STDOUTS = False
# A caller must not wait for a broker that is down: the database knows what is to be done, a message only wakes the worker.
CELERY_TASK_PUBLISH_RETRY = False
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 3600,
    "socket_connect_timeout": 1,
    "socket_timeout": 5,
    # The transport would try for six seconds by itself, and the camera with it.
    "max_retries": 1,
    "interval_start": 0,
    "interval_step": 0,
}

# --- Pages ------------------------------------------------------------------------------------------------------------

LANGUAGE_CODE = "en-us"
TIME_ZONE = env_str("TIME_ZONE", "UTC")
USE_I18N = False
USE_TZ = True

STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
# The image of a container has them collected.
STATIC_ROOT = Path(env_str("STATIC_ROOT", str(VAR_DIR / "static")))
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": VAR_DIR / "media"}},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
# Photos and weights in an S3-compatible bucket instead of VAR_DIR: s3://bucket, or s3://bucket/folder. Where it is and who may
# use it is said as to every AWS client: AWS_ENDPOINT_URL_S3, AWS_DEFAULT_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY.
MEDIA_STORAGE_URL = env_str("MEDIA_STORAGE_URL")
if MEDIA_STORAGE_URL:
    STORAGES |= buckets(MEDIA_STORAGE_URL)

LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "login"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_AGE = 14 * 24 * 3600
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = env_bool("SECURE_COOKIES", False)
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

# Photos are drawn from blobs that the console prefetches; everything else comes from this host alone.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "blob:", "data:"],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    },
}

# --- API --------------------------------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["gateway.authentication.BearerAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["gateway.authentication.HasScope"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "gateway.problems.handle",
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Sluice",
    "DESCRIPTION": "The gateway through which every prediction of a model passes before it becomes a decision.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
}

# --- Sluice -----------------------------------------------------------------------------------------------------------

# The largest photo taken, in bytes, and the largest side and area, in pixels.
MAX_PHOTO_BYTES = env_int("MAX_PHOTO_BYTES", 20 * 1024 * 1024, least=1)
MAX_PHOTO_SIDE = env_int("MAX_PHOTO_SIDE", 12_000, least=1)
MAX_PHOTO_PIXELS = env_int("MAX_PHOTO_PIXELS", 60_000_000, least=1)
MAX_BATCH_ITEMS = env_int("MAX_BATCH_ITEMS", 64, least=1)
# The largest body of a batch, in bytes.
MAX_BATCH_BYTES = env_int("MAX_BATCH_BYTES", 64 * 1024 * 1024, least=1)
# The largest archive in bytes (packed and unpacked), the most photos in it, and archives on the road at the same time.
MAX_ARCHIVE_BYTES = env_int("MAX_ARCHIVE_BYTES", 4 * 1024**3, least=1)
MAX_ARCHIVE_ITEMS = env_int("MAX_ARCHIVE_ITEMS", 10_000, least=1)
MAX_ARCHIVES = env_int("MAX_ARCHIVES", 2, least=1)
# Seconds in which something of an archive must come, or of its answer be taken, before it is given up.
ARCHIVE_PATIENCE_SECONDS = env_int("ARCHIVE_PATIENCE_SECONDS", 60, least=1)
MAX_METADATA_BYTES = env_int("MAX_METADATA_BYTES", 8 * 1024, least=2)
# Django's own bounds on a request: multipart parts beyond the files, and files a request.
DATA_UPLOAD_MAX_MEMORY_SIZE = 4 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FILES = 256

# Seconds that a model may take for a batch before its items go to people.
MODEL_TIMEOUT_SECONDS = env_int("MODEL_TIMEOUT_SECONDS", 10, least=1)
# Requests that may wait for a decision (`?wait=`) at the same time; each holds a thread of the server.
MAX_WAITING_REQUESTS = env_int("MAX_WAITING_REQUESTS", 8, least=1)
# Seconds without a heartbeat after which a claim ends and the referral goes to somebody else.
CLAIM_SECONDS = env_int("CLAIM_SECONDS", 60, least=5)
# Minutes within which a reviewer may change an answer; a blind one's prediction stays hidden as long.
REVISE_MINUTES = env_int("REVISE_MINUTES", 30, least=1)
# Threads of the web server, and threads torch may use in a process.
WEB_THREADS = env_int("WEB_THREADS", 24, least=2)
# Seconds for which the road may go by what it knows of token, line and model; it delays their end by as much. 0: never.
ROAD_CACHE_SECONDS = env_int("ROAD_CACHE_SECONDS", 1)
# Connections that the web server holds open at a time. A camera keeps one; those beyond wait to be taken.
WEB_CONNECTIONS = env_int("WEB_CONNECTIONS", 512, least=1)
TORCH_THREADS = env_int("TORCH_THREADS", 1, least=1)
# Forward passes of one model at the same time, where its runtime can: as many as there are cores.
MODEL_THREADS = env_int("MODEL_THREADS", min(4, os.cpu_count() or 1), least=1)
# Requests that may wait for a model at the same time; beyond them items go to people at once.
MODEL_CONCURRENCY = env_int("MODEL_CONCURRENCY", WEB_THREADS // 2, least=1)

# --- Webhooks ---------------------------------------------------------------------------------------------------------

# Where people reach the service, for links in messages: https://sluice.example.org. Without it links begin with a slash.
PUBLIC_URL = env_str("PUBLIC_URL")
# Networks, besides the public ones, that messages may go to: 10.20.0.0/16,fd00::/8.
WEBHOOK_ALLOWED_NETWORKS = env_list("WEBHOOK_ALLOWED_NETWORKS", [])
# For development: without TLS anybody on the way can read a message.
WEBHOOK_ALLOW_HTTP = env_bool("WEBHOOK_ALLOW_HTTP", False)
# A file of certificate authorities (PEM) that receivers are checked by, instead of the public ones.
WEBHOOK_CA_FILE = env_str("WEBHOOK_CA_FILE")
# Days after which a delivery that ended is forgotten.
WEBHOOK_KEEP_DAYS = env_int("WEBHOOK_KEEP_DAYS", 30, least=1)

# Stopping: seconds for which /readyz says no while everything still works, so that a balancer looks elsewhere; then seconds
# to finish what was taken. The file is how `manage.py serve` tells its processes.
DRAIN_SECONDS = env_int("DRAIN_SECONDS", 0)
SHUTDOWN_SECONDS = env_int("SHUTDOWN_SECONDS", 30, least=1)
STOPPING_FILE = env_str("STOPPING_FILE")

# Processes that serve requests. More than one is for PostgreSQL: SQLite has one writer at a time.
WEB_WORKERS = env_int("WEB_WORKERS", 1, least=1)
# Who may read /metrics: whoever sends this as a bearer token; without one, this machine alone.
METRICS_TOKEN = env_str("METRICS_TOKEN")

# plain for people, json for machines, who want a line for every request too.
LOG_FORMAT = env_str("LOG_FORMAT", "plain")
ACCESS_LOG = env_bool("ACCESS_LOG", LOG_FORMAT == "json")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "plain": {
            "()": "gateway.log_context.PlainFormatter",
            "format": "{asctime} {levelname:<7} {name}: {message}",
            "style": "{",
        },
        "json": {"()": "gateway.log_context.JsonFormatter"},
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json" if LOG_FORMAT == "json" else "plain"}},
    # httpx tells every request of the demo's camera, Celery every task.
    "loggers": {"httpx": {"level": "WARNING"}, "celery": {"level": "WARNING"}},
    "root": {"handlers": ["stderr"], "level": env_str("LOG_LEVEL", "INFO")},
}
