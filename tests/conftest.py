"""The cast and the stage: every test that needs people, a line or a model takes them from here."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import hypothesis
import numpy as np
import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.utils import timezone
from PIL import Image

from gateway import deployments
from gateway.models import ApiToken, Role
from gateway.roles import INSPECTORS, MANAGERS
from gateway.tokens import SCOPES, create_token
from inference import service
from inference.errors import ModelUnavailable
from inference.models import ModelVersion
from inference.predictions import Scores
from policies.changes import Draft, active_policy, change_policy, draft_of
from policies.lines import ClassDraft, create_line
from policies.models import Line, PolicyVersion
from policies.modes import Mode
from tests.races import on_a_file

CLASSES = ("ok", "scratch", "dent")

# The same examples every time: a property that fails must fail for whoever looks at it next.
# No example has a time limit, and none is too slow: that would tell of the machine.
hypothesis.settings.register_profile(
    "suite", derandomize=True, deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("suite")


@pytest.fixture(scope="session")
def django_db_keepdb(request: pytest.FixtureRequest) -> bool:
    """Leave the test database where the run's own server takes it away, or where `--reuse-db` asks for it."""
    return "SLUICE_TEST_DATABASE_STAYS" in os.environ or bool(request.config.getvalue("reuse_db"))


@pytest.fixture
def now() -> datetime:
    """The moment at which everything happens that is not told otherwise."""
    return timezone.now()


def _person(name: str, *groups: str) -> User:
    user = User.objects.create_user(name, password=f"{name}-password")
    user.groups.set([Group.objects.get_or_create(name=group)[0] for group in groups])
    return user


@pytest.fixture
def ines(db: None) -> User:
    """An inspector."""
    return _person("ines", INSPECTORS)


@pytest.fixture
def noor(db: None) -> User:
    """Another inspector."""
    return _person("noor", INSPECTORS)


@pytest.fixture
def max_(db: None) -> User:
    """A manager, who judges nothing."""
    return _person("max", MANAGERS)


@pytest.fixture
def charlie(db: None) -> User:
    """Somebody with a login and no role."""
    return _person("charlie")


@pytest.fixture
def login() -> Callable[[User], Client]:
    """Return a browser's client in which a person is logged in."""

    def client_of(user: User) -> Client:
        client = Client()
        client.force_login(user)
        return client

    return client_of


@pytest.fixture
def line(db: None, now: datetime) -> Line:
    """A line of three classes in human_only, with no audit sample."""
    drafts = [ClassDraft(key, key.capitalize(), f"What {key} means") for key in CLASSES]
    return create_line("phones", "Phones", "Is there a defect?", drafts, Draft(Mode.HUMAN_ONLY, audit_rate=0.0), now=now)


@pytest.fixture
def other_line(db: None, now: datetime) -> Line:
    """A second line with classes of its own."""
    drafts = [ClassDraft("fine", "Fine"), ClassDraft("crack", "Crack")]
    return create_line("tiles", "Tiles", "Is it broken?", drafts, Draft(Mode.HUMAN_ONLY, audit_rate=0.0), now=now)


@pytest.fixture
def dial(line: Line, now: datetime) -> Callable[..., PolicyVersion]:
    """Turn the line's dial: `dial(Mode.PARTIAL, thresholds={"ok": 0.9})`."""

    def turn(mode: Mode, **values: Any) -> PolicyVersion:
        current = active_policy(line)
        draft = replace(draft_of(current), mode=mode, **values)
        return change_policy(line, draft, expected=current.number, by=None, reason="test", now=now)

    return turn


@pytest.fixture
def token(db: None, now: datetime) -> tuple[ApiToken, str]:
    """A machine's token with every scope, and its secret."""
    return create_token("camera", scopes=list(SCOPES), line=None, by=None, now=now)


@pytest.fixture
def api(token: tuple[ApiToken, str]) -> Client:
    """A machine's client that sends its token."""
    return Client(headers={"Authorization": f"Bearer {token[1]}"})


def photo(seed: int = 0, size: tuple[int, int] = (48, 32), form: str = "JPEG") -> bytes:
    """Return the bytes of a small photo, different for every seed."""
    pixels = np.random.default_rng(seed).integers(0, 255, (size[1], size[0], 3), dtype=np.uint8)
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, form)
    return out.getvalue()


def version(name: str = "inspection-test-1", classes: tuple[str, ...] = CLASSES) -> ModelVersion:
    """Return a model version whose weights nobody needs."""
    return ModelVersion.objects.create(
        name=name, kind="inspection", runtime="torch", classes=list(classes), weights_digest="0" * 64, card={}
    )


class Model:
    """Stands where the model is: says what the test tells it to, and counts how often it was asked."""

    def __init__(self) -> None:
        self.says: dict[str, float] = {"ok": 0.97, "scratch": 0.02, "dent": 0.01}
        self.fails = False
        self.asked = 0

    def predict(self, version: ModelVersion, batch: Any, *, timeout: float) -> tuple[list[Scores], float]:
        """Answer like `inference.service.predict`."""
        self.asked += len(batch)
        if self.fails:
            raise ModelUnavailable("the test switched it off")
        return [Scores(dict(self.says)) for _ in batch], 1.5


@pytest.fixture
def model(line: Line, now: datetime, monkeypatch: pytest.MonkeyPatch) -> Model:
    """The line's champion, played by a stand-in at the seam between gateway and inference."""
    stand_in = Model()
    monkeypatch.setattr(service, "predict", stand_in.predict)
    deployments.deploy(line, version(), Role.CHAMPION, by=None, reason="test", now=now)
    return stand_in


@pytest.fixture
def post(api: Client) -> Callable[..., dict[str, Any]]:
    """Post a photo like a camera and return the answer: `post(seed=3, external_id="A1")`."""

    def send(seed: int = 0, slug: str = "phones", status: int = 201, **fields: str) -> dict[str, Any]:
        response = api.post(f"/api/v1/lines/{slug}/items", photo(seed), content_type="image/jpeg", query_params=fields)
        assert response.status_code == status, response.content
        return response.json()

    return send


def uuid_of(answer: dict[str, Any]) -> UUID:
    """Return the id in an API answer."""
    return UUID(answer["id"])


@pytest.fixture
def file_database(transactional_db: None, tmp_path: Path) -> Iterator[Path]:
    """Put the test on a database that several connections can have: a SQLite file, or PostgreSQL; see `tests.races`.

    It comes before the cast in a test's arguments.
    """
    path = tmp_path / "race.sqlite3"
    with on_a_file(path):
        yield path
