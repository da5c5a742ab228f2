"""A bounded pipe: who puts waits for room, who takes waits for something, and each sees the other leave."""

from __future__ import annotations

import threading

from gateway.pipes import Pipe

STUCK = 20.0


def ended(thread: threading.Thread) -> bool:
    thread.join(STUCK)
    return not thread.is_alive()


def test_things_come_out_in_their_order_and_no_more_than_wanted() -> None:
    pipe: Pipe[int] = Pipe(100)
    for number in range(5):
        assert pipe.put(number, 1)
    assert pipe.take(3) == [0, 1, 2]
    pipe.finish()
    assert (pipe.take(9), pipe.ended, pipe.take(9)) == ([3, 4], True, [])


def test_who_puts_waits_for_room() -> None:
    pipe: Pipe[int] = Pipe(10)
    pipe.put(1, 8)
    assert not pipe.put(2, 3, wait=0.0)
    putting = threading.Thread(target=pipe.put, args=(2, 3), daemon=True)
    putting.start()
    assert pipe.take(1) == [1]
    assert ended(putting)
    assert pipe.take(1) == [2]


def test_what_is_larger_than_the_pipe_goes_through_alone() -> None:
    pipe: Pipe[int] = Pipe(10)
    assert pipe.put(1, 1_000)
    assert not pipe.put(2, 1, wait=0.0)
    assert pipe.take(5) == [1]


def test_nothing_comes_when_the_time_is_over() -> None:
    pipe: Pipe[int] = Pipe(10)
    assert pipe.take(1, wait=0.0) == []
    assert not pipe.ended


def test_company_is_waited_for_until_there_is_enough() -> None:
    pipe: Pipe[int] = Pipe(1_000)
    pipe.put(1, 1)
    taken: list[int] = []
    taking = threading.Thread(target=lambda: taken.extend(pipe.take(3, linger=STUCK)), daemon=True)
    taking.start()
    pipe.put(2, 1)
    pipe.put(3, 1)
    assert ended(taking)
    assert taken == [1, 2, 3]


def test_a_pipe_that_gets_full_is_not_waited_at() -> None:
    """Who takes would wait for company, and who puts for room."""
    pipe: Pipe[int] = Pipe(10)
    pipe.put(1, 6)
    assert pipe.take(9, linger=STUCK) == [1]


def test_the_one_who_waits_is_told_of_the_end() -> None:
    pipe: Pipe[int] = Pipe(10)
    taking = threading.Thread(target=pipe.take, args=(1,), daemon=True)
    taking.start()
    pipe.finish()
    assert ended(taking)


def test_the_one_who_puts_is_told_that_nobody_takes() -> None:
    pipe: Pipe[int] = Pipe(10)
    pipe.put(1, 10)
    said: list[bool] = []
    putting = threading.Thread(target=lambda: said.append(pipe.put(2, 10)), daemon=True)
    putting.start()
    pipe.close()
    assert ended(putting)
    assert (said, pipe.put(3, 1), pipe.ended, pipe.closed) == ([False], False, True, True)
