"""What can be wrong with a policy, each error with its HTTP meaning."""

from __future__ import annotations


class PolicyError(Exception):
    """Base of the errors of this app."""

    status = 422
    code = "policy-invalid"
    title = "The policy is not valid"

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class InvalidPolicy(PolicyError):
    """The draft breaks a rule of policies."""


class StalePolicy(PolicyError):
    """Somebody changed the policy since the draft was made."""

    status = 409
    code = "policy-stale"
    title = "The policy changed meanwhile"


class NothingToRollBack(PolicyError):
    """The line has only ever had one policy."""

    status = 409
    code = "policy-first"
    title = "There is no earlier policy"


class InvalidLine(PolicyError):
    """The line's classes or settings contradict each other."""

    code = "line-invalid"
    title = "The line is not valid"


class NotYours(PolicyError):
    """This move belongs to somebody else."""

    status = 403
    code = "request-not-yours"
    title = "This is somebody else's to do"


class RequestMoved(PolicyError):
    """The change request is not where it was."""

    status = 409
    code = "request-moved"
    title = "The request has moved on"
