"""Run the dense network with ONNX Runtime on the processor, in this process: the same numbers as PyTorch, in half the time."""

from __future__ import annotations

from typing import Any

import onnxruntime
from django.conf import settings

from inference import graphs, weights
from inference.errors import ModelUnavailable
from inference.kinds.base import Pixels
from inference.runtimes.base import Predictor, Runtime, Weighted
from inference.runtimes.dense import SIDE, DensePredictor, Logits, facts, restored
from inference.vision.names import INPUT, PICTURE, PLACES
from inference.weights import Tensors

# Only errors are logged.
QUIET = 3


class OnnxCpu(Runtime):
    """ONNX Runtime; the graph is made from the weights once and kept."""

    name = "onnxruntime"
    # A picture costs the same alone and in eight: nothing is gained by waiting for company, or by waking another thread.
    max_batch, max_wait_ms, inline = 4, 0.0, True

    @property
    def threads(self) -> int:
        """As many as the settings allow: a session may be called from all of them."""
        return settings.MODEL_THREADS

    def load(self, version: Weighted) -> Predictor:
        """Return the model of `version`. Raises `ModelUnavailable`."""
        tensors, spec = weights.load(version.weights_digest)
        classes, calibration = facts(spec)
        session = _session(graphs.kept(version.weights_digest, lambda: _graph(tensors, spec)))

        def forward(batch: Pixels) -> tuple[Logits, Logits]:
            places, pictures = session.run([PLACES, PICTURE], {INPUT: batch})
            return places, pictures

        return DensePredictor(version.kind, forward, classes, calibration, largest_batch=self.max_batch)


def _graph(tensors: Tensors, spec: dict[str, Any]) -> bytes:
    from inference.vision.export import to_onnx

    return to_onnx(restored(tensors, spec), SIDE)


def _session(graph: bytes) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = settings.TORCH_THREADS, 1
    options.log_severity_level = QUIET
    # Threads that spin while they wait would take the cores from those that decode.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    except onnxruntime.capi.onnxruntime_pybind11_state.Fail as error:
        raise ModelUnavailable(f"ONNX Runtime can't run the model: {error}.") from error
