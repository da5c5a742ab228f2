"""Questions as servers read them, and answers as they may come: whole, odd or rubbish."""

from __future__ import annotations

import json
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from inference.errors import ModelUnavailable
from inference.remote.errors import RemoteFailed
from inference.remote.messages import LENGTH_HEADER, request, response
from inference.remote.pixels import Encoder
from tests.inference.remote.conftest import manifest
from tests.inference.remote.server import read

BATCH = np.random.default_rng(3).integers(0, 256, (2, 224, 224, 3), dtype=np.uint8)


def asked(**values: Any) -> tuple[dict[str, Any], np.ndarray, dict[str, str]]:
    whole = manifest(**values)
    body, headers = request(whole, Encoder(whole), BATCH)
    return *read(body, headers.get(LENGTH_HEADER)), headers


def test_a_question_in_json() -> None:
    question, pictures, headers = asked(datatype="UINT8", heatmap_name="h", input_name='the "input"')
    assert question["inputs"][0] | {"data": 0} == {
        "name": 'the "input"',
        "shape": [2, 224, 224, 3],
        "datatype": "UINT8",
        "data": 0,
    }
    assert question["outputs"] == [{"name": "p"}, {"name": "h"}]
    assert headers == {"content-type": "application/json"}
    np.testing.assert_array_equal(pictures, BATCH)


def test_a_question_in_binary() -> None:
    question, pictures, headers = asked(datatype="UINT8", binary=True)
    assert question["outputs"] == [{"name": "p", "parameters": {"binary_data": True}}]
    assert "data" not in question["inputs"][0]
    assert headers["content-type"] == "application/octet-stream"
    np.testing.assert_array_equal(pictures, BATCH)


def output(**values: Any) -> dict[str, Any]:
    return {"name": "p", "datatype": "FP32", "shape": [1, 2], "data": [0.25, 0.75]} | values


def answer(*outputs: object, **head: Any) -> bytes:
    return json.dumps({"model_name": "phones", "outputs": list(outputs)} | head).encode()


@pytest.mark.parametrize("data", [[0.25, 0.75], [[0.25, 0.75]]])
def test_numbers_may_be_nested_or_not(data: object) -> None:
    found, version = response(answer(output(data=data), model_version="7"), {})
    np.testing.assert_array_equal(found["p"], [[0.25, 0.75]])
    assert version == "7"


@pytest.mark.parametrize("version", [None, 7, []])
def test_a_version_that_is_none(version: object) -> None:
    assert response(answer(output(), model_version=version), {})[1] == ""


@pytest.mark.parametrize("kind", ["<f2", "<f4", "<f8"])
def test_numbers_in_binary_follow_one_another(kind: str) -> None:
    datatype = {"<f2": "FP16", "<f4": "FP32", "<f8": "FP64"}[kind]
    tensors = {"p": np.array([[0.25, 0.75]], kind), "h": np.arange(6, dtype=kind).reshape(1, 2, 3)}
    head = answer(
        *(
            {"name": name, "datatype": datatype, "shape": list(one.shape), "parameters": {"binary_data_size": one.nbytes}}
            for name, one in tensors.items()
        )
    )
    body = head + b"".join(one.tobytes() for one in tensors.values())
    found, _ = response(body, {LENGTH_HEADER: str(len(head))})
    for name, one in tensors.items():
        np.testing.assert_array_equal(found[name], one)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "no JSON"),
        (b"<html>", "no JSON"),
        (b"\xff\xfe", "no JSON"),
        (b"[" * 100_000, "no JSON"),
        (b"[]", "no JSON object"),
        (b"{}", "no list of outputs"),
        (b'{"outputs": 3}', "no list of outputs"),
        (answer("p"), "has no name"),
        (answer({"shape": [1]}), "has no name"),
        (answer(output(shape=None)), "no sensible shape"),
        (answer(output(shape=[])), "no sensible shape"),
        (answer(output(shape=[-1, 2])), "no sensible shape"),
        (answer(output(shape=[True, 2])), "no sensible shape"),
        (answer(output(shape=[1.0, 2])), "no sensible shape"),
        (answer(output(shape=[1] * 7)), "no sensible shape"),
        (answer(output(shape=[1, 3])), "2 numbers, and 3"),
        (answer(output(shape=[10**9, 10**9])), "2 numbers, and 1000"),
        (answer(output(data=None)), "consist of numbers"),
        (answer(output(data="abc")), "consist of numbers"),
        (answer(output(data=[0.5, None])), "consist of numbers"),
        (answer(output(data=["0.5", "0.5"])), "consist of numbers"),
        (answer(output(data=[True, False])), "consist of numbers"),
        (answer(output(data=[10**400, 1])), "consist of numbers"),
        (answer(output(data=[[0.5], [0.5, 0.5]])), "ragged"),
        (answer(output(parameters={"binary_data_size": 8})), "8 by its shape, and 0 were left"),
        (answer(output(parameters={"binary_data_size": "8"})), "'8' bytes"),
        (answer(output(datatype="BYTES", parameters={"binary_data_size": 8})), "BYTES"),
    ],
)
def test_rubbish_is_refused_with_a_reason(body: bytes, said: str) -> None:
    with pytest.raises(RemoteFailed, match=said):
        response(body, {})


@pytest.mark.parametrize("length", ["-1", "999999", "x", "", "1e3", "²", "9" * 50])
def test_a_length_that_cannot_be_is_refused(length: str) -> None:
    with pytest.raises(RemoteFailed, match="are JSON"):
        response(answer(output()), {LENGTH_HEADER: length})


def test_bytes_beyond_the_outputs_are_refused() -> None:
    head = answer(output())
    with pytest.raises(RemoteFailed, match="4 bytes more"):
        response(head + b"abcd", {LENGTH_HEADER: str(len(head))})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["name", "shape", "data", "x"]), inner, max_size=4)
    ),
    max_leaves=6,
)


@settings(max_examples=50)
@given(name=JSON, shape=JSON, data=JSON, parameters=JSON)
def test_whatever_an_output_holds_it_is_read_or_refused(name: Any, shape: Any, data: Any, parameters: Any) -> None:
    body = json.dumps({"outputs": [{"name": name, "shape": shape, "data": data, "parameters": parameters}]}).encode()
    try:
        response(body, {})
    except ModelUnavailable:
        pass
