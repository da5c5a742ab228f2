"""More people, for the tests of this folder."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group, User

from gateway.roles import INSPECTORS


@pytest.fixture
def omar(db: None) -> User:
    """A third inspector, who decides where two disagree."""
    user = User.objects.create_user("omar", password="omar-password")
    user.groups.set([Group.objects.get_or_create(name=INSPECTORS)[0]])
    return user
