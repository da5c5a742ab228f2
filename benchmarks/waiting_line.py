"""Make a database with people and so many open referrals, and print the secret of a camera's token: a step of `review.py`."""

from __future__ import annotations

import sys

import scratch

scratch.load(pages=True)

import history  # noqa: E402
import numpy as np  # noqa: E402
from django.db import transaction  # noqa: E402
from django.utils import timezone  # noqa: E402

from gateway import recording  # noqa: E402
from gateway.arrivals import Arrival  # noqa: E402
from gateway.recording import Predicted  # noqa: E402
from gateway.tokens import SCOPES, create_token  # noqa: E402
from inference.kinds.base import Decoded  # noqa: E402
from policies.changes import Draft, active_policy  # noqa: E402
from policies.lines import ClassDraft, create_line  # noqa: E402
from policies.modes import Mode  # noqa: E402

CHUNK = 1_000
# Nobody looks at the photos here.
DECODED = Decoded(np.zeros((1, 1, 3), dtype=np.uint8), "image/jpeg", 640, 480, {})


def main(waiting: int, people: int) -> None:
    """Make it."""
    history.make_people(people)
    drafts, now = [ClassDraft(key, key.capitalize()) for key in ("ok", "dent")], timezone.now()
    draft = Draft(Mode.HUMAN_ONLY, audit_rate=0.0)
    line, _ = (create_line(slug, slug.capitalize(), "Is it?", drafts, draft, now=now) for slug in ("phones", "doors"))
    policy = active_policy(line)
    for start in range(0, waiting, CHUNK):
        arrivals = [Arrival(b"%d" % place, DECODED, f"SN-{place}") for place in range(start, min(start + CHUNK, waiting))]
        with transaction.atomic():
            recording.record(line, policy, arrivals, Predicted([None] * len(arrivals), None, None), source="camera", now=now)
    _, secret = create_token("camera", scopes=list(SCOPES), line=None, by=None, now=now)
    sys.stdout.write(f"{secret}\n")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
