"""The loop that fits the trained part: pictures by their class, places by masks and boxes where people gave any."""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from inference.examples import Progress
from inference.vision.head import Evidence
from inference.vision.material import Material
from inference.vision.network import Network
from inference.vision.targets import NEGATIVE, UNKNOWN

BATCH = 64
EPOCHS = 40
# Few pictures need more rounds and many need fewer for the same number of steps.
LEAST_STEPS, MOST_STEPS = 160, 700
LEARNING_RATE = 3e-3
WEIGHT_DECAY = 1e-2
# Rounds without a better validation loss after which it is enough.
PATIENCE = 12
# Rare classes count for more, by this power of how rare they are: 0 is not at all, 1 is fully.
BALANCE = 0.5


@dataclass(slots=True)
class _Best:
    """The state with the lowest validation loss so far."""

    loss: float = math.inf
    round: int = 0
    state: dict[str, Tensor] | None = None


def learn(network: Network, learning: Material, checking: Material, progress: Progress) -> None:
    """Fit all but a frozen backbone to `learning`, and keep the state that does best on `checking`, where there is any."""
    size = min(BATCH, len(learning))
    rounds = _rounds(math.ceil(len(learning) / size))
    trained = [weight for weight in network.parameters() if weight.requires_grad]
    optimiser = torch.optim.AdamW(trained, lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    steps = rounds * math.ceil(len(learning) / size)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, LEARNING_RATE, total_steps=steps, pct_start=0.15)
    balance = class_weights(learning, network.classes)
    best = _Best()
    for done in range(rounds):
        network.train()
        for rows in _batches(learning, size):
            loss = _loss(network, learning, rows, balance)
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            schedule.step()
        progress((done + 1) / rounds, f"Learning: round {done + 1} of at most {rounds}")
        if _enough(network, checking, best, done):
            break
    if best.state is not None:
        network.load_state_dict(best.state, strict=False)
    network.eval()


def _rounds(steps_each: int) -> int:
    return max(1, min(max(EPOCHS, LEAST_STEPS // steps_each), MOST_STEPS // steps_each))


def class_weights(material: Material, classes: int) -> Tensor:
    """Return how much an example of each class counts, [classes]; 1 on average over the examples."""
    counts = torch.zeros(classes).index_add_(0, material.answers, material.weights)
    weights = counts.clamp(min=1.0) ** -BALANCE
    return weights * counts.sum() / (weights * counts).sum()


def good_places(material: Material) -> float:
    """Return the logarithm of how many good places there are to a defective one; 0 where no defective place is known.

    Learning counts both halves alike. Adding this to the logit of the negative gives every place its true odds again
    (Saerens et al. 2002).
    """
    defective = int((material.places > NEGATIVE).sum())
    good = int((material.places == NEGATIVE).sum())
    return max(0.0, math.log(good / defective)) if defective and good else 0.0


def _batches(material: Material, size: int) -> list[Tensor]:
    """Return the rows of one round: each example once, in a view that is drawn."""
    count = len(material)
    drawn = torch.randint(material.views, (count,)) * count
    order = torch.randperm(count)
    # A batch of one has no variance to normalise by, so it joins the one before.
    batches = list(torch.split(order, size))
    if len(batches) > 1 and len(batches[-1]) < 2:
        batches[-2:] = [torch.cat(batches[-2:])]
    return [rows + drawn[rows] for rows in batches]


def _loss(network: Network, material: Material, rows: Tensor, balance: Tensor) -> Tensor:
    examples = rows % len(material)
    answers, places = material.answers[examples], material.places[rows]
    weights = material.weights[examples] * balance[answers]
    losses = [
        _picture_loss(evidence, answers, weights) + _place_loss(evidence, places)
        for evidence in network.each(material.inputs[rows])
    ]
    return torch.stack(losses).sum()


def _picture_loss(evidence: Evidence, answers: Tensor, weights: Tensor) -> Tensor:
    return (functional.cross_entropy(evidence.picture, answers, reduction="none") * weights).mean()


def _place_loss(evidence: Evidence, places: Tensor) -> Tensor:
    """Good places are many and alike, so good and defective ones count half each. Unknown ones count nothing."""
    losses = functional.cross_entropy(evidence.places, places, reduction="none", ignore_index=UNKNOWN)
    good, defective = (places == NEGATIVE).float(), (places > NEGATIVE).float()
    # One more than their number, so that a single place in a batch doesn't outweigh everything.
    return 0.5 * ((losses * good).sum() / (good.sum() + 1) + (losses * defective).sum() / (defective.sum() + 1))


def _enough(network: Network, checking: Material, best: _Best, done: int) -> bool:
    """Remember the state where it is the best so far; return whether it has not become better for long."""
    if not len(checking):
        return False
    loss = float(functional.cross_entropy(picture_logits(network, checking), checking.answers))
    if loss < best.loss:
        best.loss, best.round, best.state = loss, done, copy.deepcopy(network.learnt())
    return done - best.round >= PATIENCE


def picture_logits(network: Network, material: Material) -> Tensor:
    """Return the logits [n, classes] of every example in its first view."""
    network.eval()
    with torch.inference_mode():
        found = [network.from_inputs(part).picture for part in torch.split(material.inputs[: len(material)], BATCH)]
    return torch.cat(found) if found else torch.zeros((0, network.classes))
