"""Entering a model elsewhere: what the server declares is taken over, what it cannot do is refused, rubbish is not entered."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from inference import runtimes
from inference.errors import ModelUnavailable, UnknownKind
from inference.models import ModelVersion
from inference.remote.describing import Described, Tensor, manifest_from
from inference.remote.errors import ManifestRefused
from inference.remote.manifest import Manifest
from inference.remote.registering import check, register
from tests.inference.remote.conftest import CLASSES
from tests.inference.remote.server import Served, Server, says, status

pytestmark = pytest.mark.django_db
OUTPUT = Tensor("p", "FP32", (-1, 3))
WHOLE = {"url": "http://host", "model": "phones", "classes": CLASSES}


@pytest.fixture(autouse=True)
def apart(settings: Any, tmp_path: Any) -> None:
    settings.VAR_DIR = tmp_path


def enter(server: Server, **chosen: Any):
    return register("inspection", server.url, "phones", {"classes": CLASSES} | chosen)


def test_what_the_server_declares_is_enough(server: Server) -> None:
    server.served.extensions = ["binary_tensor_data"]
    found = enter(server)
    version = found.version
    assert (version.runtime, version.kind, version.classes) == ("oip", "inspection", list(CLASSES))
    assert version.name.startswith("remote-phones-")
    assert (found.manifest.input_name, found.manifest.output_name, found.manifest.binary) == ("x", "p", True)
    assert (found.manifest.layout, found.manifest.served_version, found.server) == ("NHWC", "1", "toy 1")
    assert [one.probabilities["scratch"] for one in found.probe.scores] == pytest.approx([0, 1])
    assert (version.card["runs_at"], version.card["model"]) == (server.url, "phones")
    assert runtimes.load(version).kind == "inspection"
    assert check(version).version == "1"


def test_the_same_again_is_the_same(server: Server) -> None:
    first, second = enter(server), enter(server)
    assert (first.version, first.new, second.new) == (second.version, True, False)
    third = enter(server, scale=1 / 510)
    assert third.new
    assert ModelVersion.objects.count() == 2


def test_a_server_that_declares_nothing_is_told_its_tensors(server: Server) -> None:
    server.served.inputs = server.served.outputs = []
    with pytest.raises(ManifestRefused, match="input_name and output_name"):
        enter(server)
    found = enter(server, input_name="x", output_name="p", datatype="UINT8")
    assert (found.manifest.datatype, found.manifest.binary, found.manifest.most) == ("UINT8", False, 4)


@pytest.mark.parametrize(
    ("serve", "error", "said"),
    [
        (lambda served: setattr(served, "ready", False), ModelUnavailable, "answers 503"),
        (lambda served: setattr(served, "inputs", "x"), ModelUnavailable, "cannot be read"),
        (lambda served: setattr(served, "inputs", [{"name": "x"}]), ModelUnavailable, "cannot be read"),
        (lambda served: setattr(served, "always", says(p=[[0.5, 0.5]])), ModelUnavailable, "3 a picture"),
        (lambda served: setattr(served, "always", status(500)), ModelUnavailable, "answers 500"),
    ],
)
def test_what_does_not_answer_is_not_entered(
    server: Server, serve: Callable[[Served], None], error: type[Exception], said: str
) -> None:
    serve(server.served)
    with pytest.raises(error, match=said):
        enter(server)
    assert not ModelVersion.objects.exists()


def test_a_batch_that_goes_wrong_is_found(server: Server) -> None:
    server.served.deeds.extend([says(p=[[1, 0, 0]])] * 2 + [says(p=[[1, 0, 0]])])
    with pytest.raises(ModelUnavailable, match="for 1 pictures, and 2"):
        enter(server)


def test_an_address_that_cannot_be_is_not_asked(server: Server) -> None:
    with pytest.raises(ManifestRefused, match="no name for a model"):
        register("inspection", server.url, "../../admin", {"classes": CLASSES})
    with pytest.raises(UnknownKind, match="smell"):
        register("smell", server.url, "phones", {"classes": CLASSES})
    assert server.served.asked == []


def test_a_gone_server_is_a_reason(server: Server) -> None:
    known = enter(server).version
    server.stop()
    with pytest.raises(ModelUnavailable, match="cannot be reached"):
        check(known)
    with pytest.raises(ModelUnavailable, match="cannot be reached"):
        enter(server)


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((-1, 224, 224, 3), ("NHWC", 224, 224, 16)),
        ((-1, 3, 96, 128), ("NCHW", 96, 128, 16)),
        ((1, 3, -1, -1), ("NCHW", 224, 224, 1)),
    ],
)
def test_the_shape_says_how_to_ask(shape: tuple[int, ...], expected: tuple[Any, ...]) -> None:
    found = manifest_from(Described("toy", True, (Tensor("x", "UINT8", shape),), (OUTPUT,)), WHOLE)
    assert (found.layout, found.height, found.width, found.most) == expected
    assert found.datatype == "UINT8"


def test_one_at_a_time_is_a_limit_that_no_wish_lifts() -> None:
    described = Described("toy", True, (Tensor("x", "FP32", (1, 224, 224, 3)),), (OUTPUT,))
    assert manifest_from(described, WHOLE | {"most": 8}).most == 1


@pytest.mark.parametrize(
    ("inputs", "outputs", "chosen", "said"),
    [
        ([("x", "FP32", (224, 224, 3))], [OUTPUT], {}, "not batch x height"),
        ([("x", "FP32", (-1, 4, 224, 224))], [OUTPUT], {}, "not batch x height"),
        ([("x", "FP32", (8, 3, 224, 224))], [OUTPUT], {}, "exactly 8"),
        ([("x", "INT64", (-1, 3, 224, 224))], [OUTPUT], {}, "takes INT64"),
        ([("x", "FP32", (-1, 3, 9, 9)), ("y", "FP32", (1,))], [OUTPUT], {}, "several inputs"),
        ([("x", "FP32", (-1, 3, 9, 9))], [OUTPUT, Tensor("q", "FP32", (1,))], {}, "several outputs"),
        ([("x", "FP32", (-1, 3, 9, 9))], [OUTPUT], {"output_name": "z"}, "no output 'z'; there are: p"),
    ],
)
def test_what_cannot_be_asked_is_refused(inputs: list[Any], outputs: list[Tensor], chosen: dict[str, Any], said: str) -> None:
    described = Described("toy", True, tuple(Tensor(*one) for one in inputs), tuple(outputs))
    with pytest.raises(ManifestRefused, match=said):
        manifest_from(described, WHOLE | chosen)


def test_what_is_chosen_holds_before_what_is_declared() -> None:
    described = Described("toy", True, (Tensor("x", "FP32", (-1, 224, 224, 3)),), (OUTPUT, Tensor("h", "FP32", (1,))))
    found = manifest_from(described, WHOLE | {"binary": False, "output_name": "p", "heatmap_name": "h", "order": "BGR"})
    assert isinstance(found, Manifest)
    assert (found.binary, found.most, found.heatmap_name, found.order) == (False, 4, "h", "BGR")
