"""What a task's log lines are about: the task, and the request that asked for it."""

from __future__ import annotations

from typing import Any

from celery import Task

from gateway import log_context

# The header by which a request's id travels with a message.
HEADER = "request_id"


class ContextTask(Task):  # type: ignore[type-arg]
    """A task whose every log line names it."""

    abstract = True

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run it. One that is called within a request, as in tests, goes on under the request's id."""
        headers = self.request.headers or {}
        fields = {"task": self.name, "task_id": self.request.id, HEADER: headers.get(HEADER) or log_context.bound().get(HEADER)}
        with log_context.only(**{name: value for name, value in fields.items() if value}):
            return self.run(*args, **kwargs)


def headers() -> dict[str, str]:
    """Return what a message takes with it from here."""
    request_id = log_context.bound().get(HEADER)
    return {HEADER: request_id} if request_id else {}
