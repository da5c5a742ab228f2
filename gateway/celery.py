"""The background worker's application, and what it does by the clock."""

from __future__ import annotations

import os

from celery import Celery

from gateway import broker_channel

broker_channel.install()
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gateway.settings")

app = Celery("sluice", task_cls="gateway.task_context:ContextTask")
app.config_from_object("django.conf:settings", namespace="CELERY")
# A broker that refuses everything for a while, as it does on a full disk, is waited for like one that is away.
app.conf.broker_channel_error_retry = True
app.conf.beat_scheduler = "gateway.clock:Clock"
app.autodiscover_tasks()
app.autodiscover_tasks(["gateway.webhooks"])
app.conf.beat_schedule = {
    "apply-fail-safes": {"task": "gateway.tasks.apply_fail_safes", "schedule": 15.0},
    "catch-up-challengers": {"task": "gateway.tasks.catch_up_challengers", "schedule": 60.0},
    "forget-old-answers": {"task": "gateway.tasks.forget_old_answers", "schedule": 3600.0},
    # Nothing wakes it but the clock, so that a move pays nothing for webhooks; without an endpoint it is one query.
    "send-webhooks": {"task": "gateway.webhooks.tasks.send_webhooks", "schedule": 2.0},
    "forget-deliveries": {"task": "gateway.webhooks.tasks.forget_deliveries", "schedule": 3600.0},
    "expire-claims": {"task": "review.tasks.expire_claims", "schedule": 15.0},
    "train-what-is-due": {"task": "review.tasks.train_what_is_due", "schedule": 30.0},
    "delete-old-photos": {"task": "review.tasks.delete_old_photos", "schedule": 600.0},
    "delete-unwanted-photos": {"task": "review.tasks.delete_unwanted_photos", "schedule": 30.0},
    "pulse": {"task": "monitoring.tasks.pulse_once", "schedule": 5.0},
    "watch-guardrails": {"task": "monitoring.tasks.watch_guardrails", "schedule": 5.0},
    "open-recalls": {"task": "monitoring.tasks.open_recalls", "schedule": 5.0},
    "sum-up-quarters": {"task": "monitoring.tasks.sum_up_quarters", "schedule": 10.0},
    "apply-requests": {"task": "monitoring.tasks.apply_requests", "schedule": 5.0},
    "score-candidates": {"task": "monitoring.tasks.score_candidates", "schedule": 60.0},
}
