"""The demo conveyor's switch and what it knows. Nothing that decides reads these tables."""

from __future__ import annotations

from django.db import models

from gateway.models import Item
from policies.models import Line


class Conveyor(models.Model):
    """What the manager set the demo conveyor of a line to."""

    line = models.OneToOneField(Line, on_delete=models.CASCADE, primary_key=True, related_name="conveyor")
    running = models.BooleanField(default=False)
    # Phones a second, and the share of them with a defect.
    rate = models.FloatField(default=1.0)
    defects = models.FloatField(default=0.1)
    # The share of the normal light.
    darker = models.FloatField(default=1.0)
    # Moves while a conveyor process is there to follow the switch.
    heartbeat_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return "running" if self.running else "stopped"


class KnownTruth(models.Model):
    """What the demo knows about an item that it made itself, to show how well line and inspectors do."""

    item = models.OneToOneField(Item, on_delete=models.CASCADE, primary_key=True, related_name="known_truth")
    truth = models.CharField(max_length=40)
    # 0 (cannot be seen) to 1 (obvious); 0 for a good phone.
    visibility = models.FloatField()

    def __str__(self) -> str:
        return self.truth
