"""What the webhooks' pages show."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from gateway.webhooks.models import Delivery, DeliveryState, Endpoint

PAGE = 50


@dataclass(frozen=True, slots=True)
class DeliveryPage:
    """Deliveries, newest first, and where the next page begins."""

    deliveries: list[Delivery]
    next: UUID | None


def endpoints() -> QuerySet[Endpoint]:
    """Return every endpoint with how much is on its way and when something last got through, each from an index."""
    mine = Delivery.objects.filter(endpoint=OuterRef("pk")).order_by()
    waiting = mine.filter(state=DeliveryState.PENDING).values("endpoint").annotate(count=Count("pk")).values("count")
    delivered = mine.filter(state=DeliveryState.DELIVERED).order_by("-id").values("ended_at")[:1]
    return Endpoint.objects.select_related("line").annotate(
        waiting=Coalesce(Subquery(waiting), 0), delivered_at=Subquery(delivered)
    )


def deliveries(endpoint: Endpoint, state: str, before: UUID | None) -> DeliveryPage:
    """Return a page of the endpoint's deliveries in `state`, or in any."""
    found = Delivery.objects.filter(endpoint=endpoint).order_by("-id")
    if state:
        found = found.filter(state=state)
    if before is not None:
        found = found.filter(pk__lt=before)
    page = list(found[: PAGE + 1])
    return DeliveryPage(page[:PAGE], page[PAGE - 1].pk if len(page) > PAGE else None)
