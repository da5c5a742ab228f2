"""The five notches of the dial, from a person for everything to a model for everything. No Django here."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Mode(StrEnum):
    """How much the model may decide alone."""

    HUMAN_ONLY = "human_only"
    SHADOW = "shadow"
    ASSIST = "assist"
    PARTIAL = "partial"
    FULL = "full"

    @property
    def level(self) -> int:
        """The notch's position on the dial, 0 (no automation) to 4."""
        return list(Mode).index(self)

    @property
    def runs_model(self) -> bool:
        """Whether an arriving item is scored at all."""
        return self is not Mode.HUMAN_ONLY


@dataclass(frozen=True, slots=True)
class Notch:
    """What a manager reads beside a position of the dial."""

    mode: Mode
    title: str
    who_decides: str
    effect: str


NOTCHES: tuple[Notch, ...] = (
    Notch(Mode.HUMAN_ONLY, "Human only", "A person, always", "The model does not run. Every item goes to a person, blind."),
    Notch(
        Mode.SHADOW, "Shadow", "A person, always", "The model scores every item and nobody sees it. Its agreement is measured."
    ),
    Notch(
        Mode.ASSIST,
        "AI assist",
        "A person, always",
        "The reviewer sees what the model found. The audit sample is judged without it.",
    ),
    Notch(
        Mode.PARTIAL,
        "Partial",
        "The model where it is sure, a person otherwise",
        "A class is decided alone where the model reaches that class's threshold. The audit sample is checked blind.",
    ),
    Notch(
        Mode.FULL,
        "Full",
        "The model",
        "People see only the audit sample and what the model could not process.",
    ),
)
