"""A server that speaks S3, for tests of the bucket."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import pytest


@contextmanager
def s3_server() -> Iterator[dict[str, str]]:
    """Run a server, and yield the environment by which an AWS client finds it. Skips where it is not installed."""
    moto = pytest.importorskip("moto.server", reason="the S3-compatible server for tests is not installed (moto[s3], flask)")
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    one = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    one.start()
    host, port = one.get_host_and_port()
    yield {
        "AWS_ENDPOINT_URL_S3": f"http://{host}:{port}",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
    }
    one.stop()
