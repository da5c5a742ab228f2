"""Loading the models in production before the first request needs them."""

from __future__ import annotations

import logging

from django.db import DatabaseError

from gateway.models import Deployment, Role
from inference import service
from inference.errors import ModelUnavailable

logger = logging.getLogger(__name__)


def warm_champions() -> int:
    """Load every line's champion and return how many could be. One that cannot does not keep the door shut."""
    warmed = 0
    try:
        serving = list(Deployment.objects.filter(role=Role.CHAMPION, ended_at=None).select_related("model_version"))
    except DatabaseError as error:
        logger.warning("no model was loaded beforehand: %s", error)
        return 0
    for deployment in serving:
        try:
            service.warm(deployment.model_version)
            warmed += 1
        except ModelUnavailable as error:
            logger.warning("line %s: its champion could not be loaded: %s", deployment.line_id, error)
    return warmed
