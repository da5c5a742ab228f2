"""Everything that the page of a line's promises shows, read with a constant number of queries."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from gateway.models import Role
from inference.models import ModelVersion
from monitoring.selectors import models, policies
from monitoring.selectors.arrived import book_of
from monitoring.selectors.audits import Audited, audited
from monitoring.selectors.promises import Standing, standing_of
from policies.models import Certification, LabelClass, Limit, Line, PolicyVersion


@dataclass(frozen=True, slots=True)
class PromiseRoom:
    """What a line promises and what is known about it, for one model."""

    line: Line
    now: datetime
    classes: list[LabelClass]
    promise: Standing
    policy: PolicyVersion
    # The models that may be asked about, the champion first, and the one that is.
    versions: list[ModelVersion]
    version: ModelVersion | None
    champion: ModelVersion | None
    sample: Audited | None

    @property
    def limits(self) -> list[Limit]:
        """What the line promises."""
        return self.promise.limits

    @property
    def certification(self) -> Certification | None:
        """The model's proof of it."""
        return self.promise.certification

    @property
    def fresh(self) -> bool:
        """Whether the certification rests on the very audits that there are now."""
        found, sample = self.certification, self.sample
        return found is not None and sample is not None and found.data_digest == sample.digest


def promise_room(line: Line, now: datetime, name: str = "") -> PromiseRoom:
    """Read the page for the model of that name, or for the champion where none of the line's present models is called so."""
    versions = models.to_be_judged(line)
    serving = models.in_service(line).get(Role.CHAMPION)
    champion = serving.model_version if serving else None
    version = next((one for one in versions if one.name == name), champion or next(iter(versions), None))
    policy = policies.current(line)
    return PromiseRoom(
        line=line,
        now=now,
        classes=policies.classes_of(line),
        promise=standing_of(book_of(line), version, policy, now),
        policy=policy,
        versions=sorted(versions, key=lambda one: one != champion),
        version=version,
        champion=champion,
        sample=audited(line, version) if version else None,
    )
