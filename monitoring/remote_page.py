"""What a model's page says where the model runs elsewhere: how it is asked, and how its server does."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from gateway.models import Prediction
from inference.models import ModelVersion
from inference.remote.breaker import State
from inference.remote.links import Status, links
from inference.runtimes.oip import OpenInference

WORDS = {
    State.CLOSED: ("good", "circle-check", "In touch"),
    State.OPEN: ("bad", "unplug", "Left alone after failures"),
    State.HALF_OPEN: ("warn", "loader", "Being tried again"),
}
NEVER = ("quiet", "circle-dashed", "Not asked yet")


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """The server of a remote model, as the process that shows the page saw it."""

    runs_at: str
    model: str
    status: Status
    tone: str
    icon: str
    words: str
    # By whichever process: the newest prediction on record.
    last_prediction_at: datetime | None


def elsewhere(version: ModelVersion) -> Elsewhere | None:
    """Return how the model's server does; None for a model that runs here."""
    if version.runtime != OpenInference.name:
        return None
    status = links.status(version.weights_digest)
    tone, icon, words = WORDS[status.state] if status.calls else NEVER
    newest = Prediction.objects.filter(model_version=version).order_by("-id").values_list("created_at", flat=True).first()
    runs_at, model = (str(version.card.get(name, "")) for name in ("runs_at", "model"))
    return Elsewhere(runs_at, model, status, tone, icon, words, newest)
