"""Setting up the demo: people, a line with its label book, labelled phones, a first real model. Twice is as once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from django.conf import settings
from django.contrib.auth.models import Group, User
from django.db import transaction
from django.utils import timezone
from PIL import Image, ImageDraw

from gateway import deployments, routing
from gateway.arrivals import Arrival
from gateway.limits import photo_limits
from gateway.models import ApiToken, Item, Role
from gateway.roles import INSPECTORS, MANAGERS
from gateway.tokens import SCOPES, create_token
from inference import kinds
from monitoring.demo.phones import CLASSES, Phone, draw, plan, render
from monitoring.demo.token import demo_token, token_path
from monitoring.models import Conveyor, KnownTruth
from policies.changes import Draft, active_policy, change_policy, draft_of
from policies.lines import ClassDraft, create_line
from policies.models import Line
from policies.modes import Mode
from review.importing import find_photos, import_photos
from review.models import LabelExample, TrainingRun, TrainingState
from review.training import request_training, work_on

SLUG = "phones"
# Rendered and labelled phones from which the first model learns, a little under half of them good.
TRAINING_PHONES = 420
TRAINING_DEFECTS = 0.55
# Phones that came down the belt before the newcomer opens the page.
FIRST_PHONES = 48
TOKEN_NAME = "demo"  # noqa: S105 (a name, not a secret)
# The demo's passwords are printed at every start and belong to this demo alone.
PEOPLE = {"ines": INSPECTORS, "noor": INSPECTORS, "max": MANAGERS}

BOOK = (
    ClassDraft("ok", "OK", "Nothing that a customer would send back.", "Dust that a cloth takes off\nFingerprints"),
    ClassDraft(
        "scratch",
        "Scratch",
        "A thin line in glass or back that a cloth does not take off, longer than 3 mm.",
        "A fine bright line across the screen\nSeveral short parallel lines",
        "A hair or a fibre: it lies on the surface and casts a shadow\nThe edge of a reflection",
    ),
    ClassDraft(
        "crack",
        "Crack",
        "Broken glass: a line that branches or starts at an edge.",
        "A star of lines around a point of impact\nOne line from edge to edge",
        "A single smooth line that does not branch: a scratch",
    ),
    ClassDraft(
        "dent",
        "Dent",
        "The frame or the back is pushed in; light bends around it.",
        "A soft spot with a bright and a dark side\nA flattened corner",
        "The rim of the camera or a button",
    ),
    ClassDraft(
        "stain",
        "Stain",
        "A patch of another colour or shine with a soft edge that stays.",
        "An oily film\nA cloudy blotch under the glass",
        "A fingerprint: fine ridges that a cloth takes off\nA soft reflection of the lamps",
    ),
)


def seed_people() -> None:
    """Make the demo's people."""
    for name, group in PEOPLE.items():
        user, made = User.objects.get_or_create(username=name, defaults={"first_name": name.capitalize()})
        if made:
            user.set_password(password_of(name))
            user.save(update_fields=["password"])
        user.groups.add(Group.objects.get_or_create(name=group)[0])


def password_of(name: str) -> str:
    """Return a demo person's password."""
    return f"{name}-sluice"


def seed_line() -> Line:
    """Make the line, its label book and its conveyor, in assist until it has a model."""
    line = Line.objects.filter(slug=SLUG).first()
    if line is not None:
        return line
    with transaction.atomic():
        line = create_line(
            SLUG,
            "Phone inspection",
            "Does this phone have a defect?",
            BOOK,
            Draft(mode=Mode.HUMAN_ONLY, audit_rate=0.1, due_seconds=8 * 3600),
            now=timezone.now(),
            reason="The demo's line",
            keep_zoom=False,
        )
        Conveyor.objects.create(line=line)
    return line


def seed_token(line: Line) -> str:
    """Return the demo's API token. The database has just its hash, so it is kept in a file that only this user can read."""
    path = token_path()
    known = demo_token()
    if known and ApiToken.objects.filter(name=TOKEN_NAME, revoked_at=None).exists():
        return known
    # A database without its file, or the reverse: the old token cannot be had again.
    ApiToken.objects.filter(name=TOKEN_NAME).update(name=f"{TOKEN_NAME} until {timezone.now():%Y-%m-%d %H:%M:%S}")
    _, secret = create_token(TOKEN_NAME, scopes=list(SCOPES), line=None, by=None, now=timezone.now())
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_text(secret)
    return secret


def render_training_phones(progress: Callable[[int], None]) -> Path:
    """Render the labelled phones into a folder a class, with a mask beside each defect. What is there already stays."""
    folder = Path(settings.VAR_DIR) / "demo" / "phones"
    for seed in range(TRAINING_PHONES):
        truth, _ = plan(seed, TRAINING_DEFECTS)
        path = folder / truth / f"{seed:05d}.jpg"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            phone = render(seed, truth=truth)
            if phone.boxes:
                _mask(phone, path.with_suffix(".png"))
            # The photo comes last, and whole: a start that was cut off goes on where it stopped.
            draft = path.with_suffix(".part")
            draft.write_bytes(phone.jpeg)
            draft.rename(path)
        progress(1)
    return folder


def import_training_phones(line: Line, folder: Path, progress: Callable[[int], None]) -> None:
    """Bring the rendered phones in as labels and give the label book two pictures a class."""
    import_photos(line, find_photos(folder, CLASSES), actor="demo", progress=progress)
    for entry in line.classes.all():
        if not entry.pictures.exists():
            shown = Item.objects.filter(line=line, answer=entry.key, source="demo").order_by("id")[:2]
            LabelExample.objects.bulk_create(LabelExample(label_class=entry, item=item) for item in shown)


def train_first_model(line: Line, report: Callable[[float, str], None]) -> TrainingRun | None:
    """Train the first model and make it champion; None where the line has one."""
    if deployments.champion(line) is not None:
        return None
    run = TrainingRun.objects.filter(line=line, ended_at=None).first()
    if run is None:
        run = request_training(line, by=None, reason="The demo's first model", now=timezone.now())
    elif run.state == TrainingState.RUNNING:
        # Only one demo is set up at a time: a run that is still open lost its process, and need not be waited for.
        TrainingRun.objects.filter(pk=run.pk).update(state=TrainingState.QUEUED)
    run = work_on(run, report=report)
    if run.model_version is not None:
        deployments.deploy(line, run.model_version, Role.CHAMPION, by=None, reason="The demo's first model", now=timezone.now())
    return run


def open_line(line: Line) -> None:
    """Turn the dial to partial, with thresholds that a manager would start with."""
    policy = active_policy(line)
    if policy.number == 1 and deployments.champion(line) is not None:
        draft = replace(draft_of(policy), mode=Mode.PARTIAL, thresholds=dict.fromkeys(CLASSES, 0.95))
        change_policy(line, draft, expected=1, by=None, reason="The demo starts in partial automation", now=timezone.now())


def send_first_phones(line: Line, progress: Callable[[int], None]) -> None:
    """Let some phones come down the belt, so that the pages have something to show."""
    kind, start = kinds.get(line.kind), TRAINING_PHONES
    have = KnownTruth.objects.filter(item__line=line).count()
    for seed in range(start + have, start + FIRST_PHONES):
        phone: Phone = draw(seed, 0.15)
        arrival = Arrival(phone.jpeg, kind.decode(phone.jpeg, limits=photo_limits()), phone.serial)
        outcomes = routing.route(line, [arrival], source="conveyor", now=timezone.now())
        KnownTruth.objects.create(item=outcomes[0].item, truth=phone.truth, visibility=phone.visibility)
        progress(1)


def _mask(phone: Phone, path: Path) -> None:
    size = (240, 180)
    mask = Image.new("L", size)
    draw_on = ImageDraw.Draw(mask)
    for x, y, width, height in phone.boxes:
        draw_on.rectangle([x * size[0], y * size[1], (x + width) * size[0], (y + height) * size[1]], fill=255)
    mask.save(path)
