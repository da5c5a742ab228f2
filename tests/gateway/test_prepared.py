"""Rows are written many in a statement, and as many statements as it takes."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Group

from gateway.prepared import MOST_ROWS, Insert

pytestmark = pytest.mark.django_db

MANY = [f"Group {number}" for number in range(2 * MOST_ROWS + 3)]


def test_each_gets_its_own_key(django_assert_num_queries: Any) -> None:
    groups = [Group(name=name) for name in MANY]
    with django_assert_num_queries(3):
        assert Insert(Group, keys=True).all(groups) == groups
    assert {group.pk: group.name for group in groups} == dict(Group.objects.values_list("pk", "name"))
    assert len({group.pk for group in groups}) == len(MANY)


def test_who_needs_no_keys_gets_none(django_assert_num_queries: Any) -> None:
    groups = [Group(name=name) for name in MANY]
    with django_assert_num_queries(3):
        Insert(Group).all(iter(groups))
    assert {group.pk for group in groups} == {None}
    assert set(Group.objects.values_list("name", flat=True)) == set(MANY)


def test_nothing_is_no_statement(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        assert Insert(Group).all([]) == []
