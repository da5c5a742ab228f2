"""External ids that a line, taking each once, has already."""

from __future__ import annotations

from collections.abc import Sequence

from gateway import door, routing
from gateway.arrivals import Arrival
from gateway.errors import ExternalIdTaken
from gateway.models import Item
from policies.models import Line


def sort_out_taken(line: Line, read: Sequence[Arrival | door.Refusal]) -> list[Arrival | door.Refusal]:
    """Turn the items of a batch whose external id is taken into refusals; of two with one id the first is taken."""
    taken = routing.taken_ids(line, [one for one in read if isinstance(one, Arrival)])
    known = set(Item.objects.filter(line=line, external_id__in=taken).values_list("external_id", flat=True)) if taken else set()
    sorted_out: list[Arrival | door.Refusal] = []
    for one in read:
        if isinstance(one, Arrival) and one.external_id in known:
            one = ExternalIdTaken(f"The line takes each external id once, and has {one.external_id}.")
        elif isinstance(one, Arrival) and one.external_id in taken:
            known.add(one.external_id)
        sorted_out.append(one)
    return sorted_out
