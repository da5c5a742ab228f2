"""What can go wrong in review, each error with its HTTP meaning."""

from __future__ import annotations

from gateway.errors import GatewayError


class ClaimLost(GatewayError):
    """The claim ended before the answer came: it expired, was given back, or somebody else took the referral."""

    status = 409
    code = "claim-lost"
    title = "The item is no longer yours"


class PredictionHidden(GatewayError):
    """The referral is judged blind."""

    status = 403
    code = "prediction-hidden"
    title = "This item is judged without the model"


class NotRevisable(GatewayError):
    """The judgement is too old, superseded, or somebody else built on it."""

    status = 409
    code = "not-revisable"
    title = "This answer can no longer be changed"


class TrainingRuns(GatewayError):
    """The line has a training run that has not ended."""

    status = 409
    code = "training-running"
    title = "A training is running already"


class FolderRefused(GatewayError):
    """The folder cannot be imported as it is."""

    status = 422
    code = "folder-refused"
    title = "The folder cannot be imported"


class DatasetUnknown(GatewayError):
    """No such dataset version."""

    status = 404
    code = "dataset-unknown"
    title = "There is no such dataset"


class NothingLabelled(GatewayError):
    """The line has no labels yet."""

    status = 409
    code = "no-labels"
    title = "There are no labels yet"
