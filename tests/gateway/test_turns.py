"""Who writes in one process waits in line, and an exception leaves the line to the next."""

from __future__ import annotations

import pytest
from django.db import connection, transaction

from gateway import turns
from gateway.turns import in_turn


@pytest.mark.django_db(transaction=True)
def test_one_that_fails_leaves_the_line() -> None:
    with pytest.raises(ValueError, match="no"), in_turn():
        assert turns._line.locked() == (connection.vendor == "sqlite")
        raise ValueError("no")
    assert not turns._line.locked()


@pytest.mark.django_db(transaction=True)
def test_who_is_in_a_transaction_waits_for_nobody() -> None:
    with turns._line, transaction.atomic(), in_turn():
        assert connection.in_atomic_block
