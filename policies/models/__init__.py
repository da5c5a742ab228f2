"""A line, its label book, its policies, what it promises, and the changes that are asked for."""

from __future__ import annotations

from policies.models.line import LabelClass, Line, Reveal, make_secret
from policies.models.promise import Certificate, Certification, Limit, LimitForm
from policies.models.request import PENDING, Approval, ChangeRequest, RequestState
from policies.models.version import PolicyVersion

__all__ = [
    "PENDING",
    "Approval",
    "Certificate",
    "Certification",
    "ChangeRequest",
    "LabelClass",
    "Limit",
    "LimitForm",
    "Line",
    "PolicyVersion",
    "RequestState",
    "Reveal",
    "make_secret",
]
