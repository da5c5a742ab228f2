"""What can go wrong between bytes and a prediction."""

from __future__ import annotations


class InputRefused(Exception):
    """The caller's bytes or numbers can't be taken. Nothing was changed.

    `code` is a stable slug such as "image-truncated", `title` is the same for every case of that code, and `detail` says
    what was found and why it can't be taken, with figures.
    """

    def __init__(self, code: str, title: str, detail: str) -> None:
        super().__init__(f"{title}: {detail}")
        self.code = code
        self.title = title
        self.detail = detail


class ModelUnavailable(Exception):
    """The model gave no answer: missing, too slow or broken. The message is the reason."""


def late(seconds: float) -> ModelUnavailable:
    """Return the error of a model that took longer than it may."""
    return ModelUnavailable(f"The model did not answer within {seconds:.3g} seconds.")


def closed() -> ModelUnavailable:
    """Return the error of a model that takes no more."""
    return ModelUnavailable("The model was taken out of service.")


class ModelBusy(ModelUnavailable):
    """So much waits for the model already that this batch was not taken; it may be tried again."""


class UnknownKind(Exception):
    """No kind or runtime has this name; the message lists those there are."""
