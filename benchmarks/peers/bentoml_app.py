"""BentoML, one worker a core; a photo comes as an uploaded file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import bentoml
import scoring
from bentoml.validators import ContentType


@bentoml.service(workers=2)
class Photos:
    """Photo in, scores out."""

    def __init__(self) -> None:
        self.score = scoring.load()

    @bentoml.api(route="/score")
    def predict(self, image: Annotated[Path, ContentType("image/jpeg")]) -> dict[str, float]:
        """Score the file."""
        return self.score(Path(image).read_bytes())
