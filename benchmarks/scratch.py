"""A Sluice of its own for a measurement: settings, folder and database that go away afterwards."""

from __future__ import annotations

import atexit
import fcntl
import os
import shutil
import sys
import tempfile
import warnings
from pathlib import Path

# From linux/fs.h: reading and setting a file's flags, and the one for the top of a hierarchy of folders.
GET_FLAGS, SET_FLAGS, TOP = 0x80086601, 0x40086602, 0x00020000


def begin() -> None:
    """Point the settings at a new folder, load Django and make the tables. Call it before importing anything of the product."""
    folder = tempfile.mkdtemp(dir=_top(), prefix="sluice-benchmark-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    os.environ["SLUICE_VAR"] = folder
    os.environ.setdefault("ALLOWED_HOSTS", "testserver,localhost")
    os.environ.setdefault("LOG_LEVEL", "ERROR")
    # Training and measuring have the machine to themselves here.
    os.environ.setdefault("TORCH_THREADS", str(os.cpu_count() or 1))
    load()


def _top() -> Path:
    """Return the folder for those of all runs, whose files a file system is asked to keep apart.

    ext4 without a journal does not give a file the place of one that was deleted in the last five minutes, and looks at each
    such place every time: a run that follows another would pay a tenth of its time for what that one has cleared away.
    """
    top = Path(tempfile.gettempdir()) / "sluice-benchmarks"
    top.mkdir(exist_ok=True)
    descriptor = os.open(top, os.O_RDONLY)
    try:
        flags = int.from_bytes(fcntl.ioctl(descriptor, GET_FLAGS, bytes(8)), sys.byteorder)
        fcntl.ioctl(descriptor, SET_FLAGS, (flags | TOP).to_bytes(8, sys.byteorder))
    except OSError:
        pass  # another file system, or another's folder
    finally:
        os.close(descriptor)
    return top


def load(*, pages: bool = False) -> None:
    """Load Django as the environment says and make the tables; with `pages`, collect the files that pages name."""
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gateway.settings")
    import django
    from django.core.management import call_command

    # The pages' files are not collected here, and the server's middleware says so.
    warnings.filterwarnings("ignore", message="No directory at")
    django.setup()
    call_command("migrate", verbosity=0, interactive=False)
    if pages:
        call_command("collectstatic", verbosity=0, interactive=False)
