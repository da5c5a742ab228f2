"""Waking the worker. The database knows what is to be done; a message that is lost is made up for by the clock."""

from __future__ import annotations

import logging
from typing import Any

from celery import Task
from kombu.exceptions import OperationalError

from gateway import task_context

logger = logging.getLogger(__name__)


def wake(task: Task[..., Any], *args: Any) -> bool:
    """Send a task to the worker; False, and no harm, where the broker cannot be reached."""
    try:
        task.apply_async(args, headers=task_context.headers())
    except (OperationalError, OSError) as error:
        logger.warning("the broker cannot be reached, %s waits for the clock: %s", task.name, error)
        return False
    return True
