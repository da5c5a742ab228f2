"""More people and more lines, for the tests of this folder."""

from __future__ import annotations

from datetime import datetime

import pytest
from django.contrib.auth.models import Group, User

from gateway.roles import INSPECTORS
from policies.changes import Draft
from policies.lines import ClassDraft, create_line
from policies.models import Line
from policies.modes import Mode


@pytest.fixture
def omar(db: None) -> User:
    """A third inspector, who decides where two disagree."""
    user = User.objects.create_user("omar", password="omar-password")
    user.groups.set([Group.objects.get_or_create(name=INSPECTORS)[0]])
    return user


@pytest.fixture
def other_line(db: None, now: datetime) -> Line:
    """A second line with classes of its own."""
    drafts = [ClassDraft("fine", "Fine"), ClassDraft("crack", "Crack")]
    return create_line("tiles", "Tiles", "Is it broken?", drafts, Draft(Mode.HUMAN_ONLY, audit_rate=0.0), now=now)
