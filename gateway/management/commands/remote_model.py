"""Models that run elsewhere: enter them into the book of models, and see whether they answer."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from gateway import deployments
from gateway.errors import GatewayError
from gateway.models import Role
from inference.errors import ModelUnavailable, UnknownKind
from inference.models import ModelVersion
from inference.predictions import top
from inference.remote.errors import ManifestRefused
from inference.remote.manifest import ACTIVATIONS, DATATYPES, LAYOUTS, ORDERS
from inference.remote.registering import Probe, check, register
from policies.models import Line

# Options that go into the manifest by its names; what is not given is taken from the server or the manifest's defaults.
CHOICES = (
    "version", "input_name", "datatype", "layout", "order", "height", "width", "scale", "mean", "std", "output_name",
    "activation", "heatmap_name", "binary", "most", "token_env",
)  # fmt: skip


class Command(BaseCommand):
    """`remote_model add URL NAME --classes ok,scratch`, `remote_model check VERSION`."""

    help = "Register a model on a server that speaks the Open Inference Protocol v2, or ask a registered one now."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The two verbs."""
        verbs = parser.add_subparsers(dest="verb", required=True)
        checked = verbs.add_parser("check", help="Send a registered model the test pictures again.")
        checked.add_argument("name", metavar="VERSION", help='As on the pages: "inspection-20261121-2".')
        added = verbs.add_parser("add", help="Read its description, send it test pictures, enter it as a model version.")
        added.add_argument("url", metavar="URL", help="Base address of the server, without /v2.")
        added.add_argument("model", metavar="NAME", help="The model's name on the server.")
        added.add_argument("--classes", required=True, help="Its classes in the order of its output, the negative first.")
        added.add_argument("--kind", default="inspection")
        added.add_argument("--line", metavar="SLUG", help="Put it into service on this line at once.")
        added.add_argument("--role", choices=Role.values, default=Role.CHALLENGER.value, help="As what (default: challenger).")
        _add_tensors(added)

    def handle(self, *args: Any, **options: Any) -> None:
        """Do one of the two."""
        try:
            if options["verb"] == "check":
                self._check(options["name"])
            else:
                self._add(options)
        except (ModelUnavailable, ManifestRefused, UnknownKind) as error:
            raise CommandError(str(error)) from error

    def _check(self, name: str) -> None:
        version = ModelVersion.objects.filter(name=name, runtime="oip").first()
        if version is None:
            raise CommandError(f"There is no model {name!r} that runs elsewhere.")
        self._tell(check(version))

    def _add(self, options: dict[str, Any]) -> None:
        line = _line(options["line"])
        given = {name: options[name] for name in CHOICES if options[name] is not None}
        chosen = {name: tuple(value) if isinstance(value, list) else value for name, value in given.items()}
        chosen["classes"] = tuple(name.strip() for name in options["classes"].split(","))
        found = register(options["kind"], options["url"], options["model"], chosen)
        self.stdout.write(f"{found.server} answers.")
        self._tell(found.probe)
        entered = "is registered" if found.new else "was registered before, exactly so"
        self.stdout.write(self.style.SUCCESS(f"{found.version.name} {entered}."))
        if line is None:
            self.stdout.write("Put it into service on the model page of a line.")
        else:
            self._deploy(line, found.version, Role(options["role"]))

    def _tell(self, probe: Probe) -> None:
        for picture, scores in zip(("black", "white"), probe.scores, strict=True):
            label, share = top(scores)
            self.stdout.write(f"  a {picture} picture: {label} {share:.3f}")
        self.stdout.write(f"  {probe.milliseconds:.0f} ms a picture, version {probe.version or 'not named'}")

    def _deploy(self, line: Line, version: ModelVersion, role: Role) -> None:
        try:
            deployments.deploy(line, version, role, by=None, reason="On the command line", now=timezone.now())
        except GatewayError as error:
            raise CommandError(error.detail) from error
        self.stdout.write(f"It is {role.value} of {line.slug} from the next item on.")


def _add_tensors(parser: ArgumentParser) -> None:
    """What the server does not declare, or what should hold instead of it."""
    tensors = parser.add_argument_group("tensors", "Taken from the server's description where it has one.")
    tensors.add_argument("--version", help="A version of the model to pin.")
    tensors.add_argument("--input", dest="input_name", metavar="TENSOR")
    tensors.add_argument("--datatype", choices=list(DATATYPES))
    tensors.add_argument("--layout", choices=LAYOUTS)
    tensors.add_argument("--height", type=int)
    tensors.add_argument("--width", type=int)
    tensors.add_argument("--order", choices=ORDERS, help="Order of the colours (default: RGB).")
    tensors.add_argument("--scale", type=float, help="Sent is (pixel * scale - mean) / std (default: 1/255).")
    tensors.add_argument("--mean", type=float, nargs=3)
    tensors.add_argument("--std", type=float, nargs=3)
    tensors.add_argument("--output", dest="output_name", metavar="TENSOR")
    tensors.add_argument("--activation", choices=ACTIVATIONS, help="What turns the output into probabilities (default: none).")
    tensors.add_argument("--heatmap", dest="heatmap_name", metavar="TENSOR", help="Probability of any defect at each place.")
    tensors.add_argument("--most", type=int, metavar="N", help="Pictures a request at most.")
    tensors.add_argument("--token-env", metavar="VARIABLE", help="Environment variable that holds a bearer token.")
    form = tensors.add_mutually_exclusive_group()
    form.add_argument("--binary", dest="binary", action="store_const", const=True, help="Use the binary tensor extension.")
    form.add_argument("--json", dest="binary", action="store_const", const=False, help="Don't, though the server announces it.")


def _line(slug: str | None) -> Line | None:
    if slug is None:
        return None
    line = Line.objects.filter(slug=slug).first()
    if line is None:
        raise CommandError(f"There is no line {slug!r}.")
    return line
