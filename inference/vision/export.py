"""The network as an ONNX graph, for runtimes that are faster than the one it was trained with."""

from __future__ import annotations

import io
import warnings

import torch
from torch import Tensor, nn

from inference.vision.names import INPUT, PICTURE, PLACES
from inference.vision.network import Network

# Chosen by hand: a graph that means the same with every version of the tools beside it.
OPSET = 17


class _Pair(nn.Module):
    """The network with a plain pair as its answer: graphs know no named tuples."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        found = self.network(pixels)
        return found.places, found.picture


def to_onnx(network: Network, side: int) -> bytes:
    """Return the graph from uint8 [n, side, side, 3] to logits of places [n, classes, 14, 14] and of pictures [n, classes]."""
    out = io.BytesIO()
    with warnings.catch_warnings(), torch.no_grad():
        # The traced export is called deprecated; the one after it takes a hundred times as long for the same graph.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            _Pair(network.eval()).eval(),
            (torch.zeros((1, side, side, 3), dtype=torch.uint8),),
            out,  # type: ignore[arg-type]  # its annotation forgets that this way takes a file
            input_names=[INPUT],
            output_names=[PLACES, PICTURE],
            dynamic_axes={name: {0: "n"} for name in (INPUT, PLACES, PICTURE)},
            opset_version=OPSET,
            dynamo=False,
        )
    return out.getvalue()
