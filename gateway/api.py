"""The JSON API for cameras and other machines."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from gateway import door, explanations, hot, idempotency, lifecycle, routing
from gateway.arrivals import Arrival
from gateway.errors import BadField, ItemUnknown, NotDecided, ScopeMissing
from gateway.idempotency import Answer, Remember
from gateway.listing import ItemPages, filtered
from gateway.models import ApiToken, Item, ItemState
from gateway.problems import body_of, status_of
from gateway.recording import Outcome
from gateway.representations import item_json, outcome_json, with_predictions
from gateway.routing import Within
from gateway.schemas import (
    AppealSchema,
    BatchSchema,
    ExplanationSchema,
    ItemSchema,
    MultipartBatchSchema,
    MultipartItemSchema,
    ProblemSchema,
)
from gateway.taken import sort_out_taken
from gateway.waiting import wait_for_decision
from policies.decide import Reason
from policies.models import Line

KEY = OpenApiParameter(
    "Idempotency-Key", str, OpenApiParameter.HEADER, description="The same key and body get the first answer."
)
CONSENT = OpenApiParameter("consent", bool, description="False: no photo is kept after the decision.")
WAIT = OpenApiParameter("wait", float, description="Seconds, up to 60, to wait for a decision.")
REFUSED = OpenApiResponse(ProblemSchema, description="What was wrong and why (RFC 9457). Nothing was changed.")


class ApiView(APIView):
    """A view whose `scopes` name what each method takes."""

    scopes: dict[str, str] = {}

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Read addresses and forms as UTF-8: a charset named beside a photo may be one that no text can be read with."""
        request._request.encoding = "utf-8"
        super().initial(request, *args, **kwargs)

    @property
    def token(self) -> ApiToken:
        """The token of the request, which `HasScope` has seen to be there."""
        return cast(ApiToken, self.request.auth)


class Items(ApiView):
    """The items of a line."""

    scopes = {"GET": "items:read", "POST": "items:write"}
    # The bytes are read by the door: a parser of the framework would copy them once more.
    parser_classes: list[Any] = []
    # The token of a POST, which does not come by the framework's request.
    hot_token: ApiToken

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Answer POSTs by the short way."""
        if request.method == "POST":
            return hot.answered(self, request, *args, **kwargs)
        return super().dispatch(request, *args, **kwargs)

    @extend_schema(
        operation_id="items_create",
        request={"image/jpeg": OpenApiTypes.BINARY, "image/png": OpenApiTypes.BINARY, "image/webp": OpenApiTypes.BINARY,
                 "multipart/form-data": MultipartItemSchema},
        parameters=[KEY, WAIT, OpenApiParameter("external_id", str), OpenApiParameter("metadata", str), CONSENT],
        responses={201: ItemSchema, 409: REFUSED, 413: REFUSED, 415: REFUSED, 422: REFUSED},
    )  # fmt: skip
    def post(self, request: HttpRequest, slug: str) -> HttpResponse:
        """Send one photo and get a decision or a referral."""
        token = self.hot_token
        line = door.open_for_items(slug, token)
        seconds = door.wait_of(request)
        answer, replayed = _one(request, token, line, door.open_one(request, line))
        body = answer.body["results"][0]["item"]
        if seconds and body["status"] != ItemState.DECIDED:
            wait_for_decision(UUID(body["id"]), seconds)
            body = item_json(find_item(body["id"], token), token)
        return hot.respond(body, 201, _headers(replayed) | {"Location": f"/api/v1/items/{body['id']}"})

    @extend_schema(
        operation_id="items_list",
        parameters=[
            OpenApiParameter(name, str)
            for name in (
                "status",
                "decision",
                "decided_by",
                "route",
                "reason",
                "external_id",
                "since",
                "until",
                "cursor",
                "limit",
            )
        ],
        responses={200: ItemSchema(many=True), 422: REFUSED},
    )
    def get(self, request: Request, slug: str) -> Response:
        """List the line's items, newest first."""
        line = door.open_line(slug, self.token)
        pages = ItemPages()
        page = pages.paginate_queryset(with_predictions(filtered(line, request)), request, view=self)
        return pages.get_paginated_response([item_json(item, self.token) for item in page or []])


class ItemBatch(Items):
    """Many items in one request."""

    scopes = {"POST": "items:write"}
    http_method_names = ["post", "options"]

    @extend_schema(
        operation_id="items_create_batch",
        request={"multipart/form-data": MultipartBatchSchema},
        parameters=[KEY],
        responses={200: BatchSchema, 409: REFUSED, 413: REFUSED, 415: REFUSED, 422: REFUSED},
    )
    def post(self, request: HttpRequest, slug: str) -> HttpResponse:
        """Send up to 64 photos; each gets a result of its own, and a bad one does not harm the others."""
        line = door.open_for_items(slug, self.hot_token)
        read = sort_out_taken(line, door.read_many(request, line))
        answer, replayed = _many(request, self.hot_token, line, read)
        return hot.respond(answer.body, 200, _headers(replayed))


class OneItem(ApiView):
    """One item."""

    scopes = {"GET": "items:read"}

    @extend_schema(operation_id="items_retrieve", parameters=[WAIT], responses={200: ItemSchema, 404: REFUSED})
    def get(self, request: Request, item_id: UUID) -> Response:
        """Fetch an item; with `wait`, only when it is decided or the time is over."""
        item = find_item(item_id, self.token)
        seconds = door.wait_of(request._request)
        if seconds and item.state != ItemState.DECIDED:
            wait_for_decision(item.pk, seconds)
            item = find_item(item_id, self.token)
        return Response(item_json(item, self.token))


class Explanation(ApiView):
    """Why an item went where it went."""

    scopes = {"GET": "items:read"}

    @extend_schema(operation_id="items_explain", responses={200: ExplanationSchema, 403: REFUSED, 404: REFUSED})
    def get(self, request: Request, item_id: UUID) -> Response:
        """Say which policy, which scores and which draw sent the item its way."""
        if "predictions:read" not in self.token.scopes:
            raise ScopeMissing("An explanation names the scores, which takes the scope predictions:read.")
        item = find_item(item_id, self.token)
        found = item.routing_predictions  # type: ignore[attr-defined]
        return Response(explanations.explain(item, found[0] if found else None))


class Appeal(ApiView):
    """A doubt about a decision."""

    scopes = {"POST": "items:write"}
    parser_classes: list[Any] = []

    @extend_schema(
        operation_id="items_appeal",
        request=AppealSchema,
        parameters=[KEY],
        responses={201: ItemSchema, 409: REFUSED, 422: REFUSED},
    )
    def post(self, request: Request, item_id: UUID) -> Response:
        """Ask a person to look again, blind. The decision stands until somebody judges otherwise."""
        item, token, now = find_item(item_id, self.token), self.token, timezone.now()
        reason = door.read_object(request._request, {"reason"}).get("reason")
        if not isinstance(reason, str) or not reason.strip() or len(reason) > 500:
            raise BadField("An appeal needs a reason of up to 500 characters.")

        def work(remember: Remember) -> Answer:
            with transaction.atomic():
                if item.state != ItemState.DECIDED:
                    raise NotDecided("The item has no decision yet, so there is nothing to appeal against.")
                lifecycle.refer(item, Reason.APPEAL, blind=True, actor=f"token:{token.name}", now=now, note=reason)
                answer = Answer(201, item_json(item, token))
                remember(answer)
                return answer

        key = request.headers.get("Idempotency-Key", "")
        answer, replayed = idempotency.once(token, key, [f"APPEAL {item.pk}", reason], now=now, work=work)
        return Response(answer.body, status=answer.status, headers=_headers(replayed))


def _one(request: HttpRequest, token: ApiToken, line: Line, read: Callable[[], Arrival]) -> tuple[Answer, bool]:
    """Carry one item down the road together with others that come now."""
    prints = []
    if _key(request):
        # Only a key is worth the work of telling one request from another, for which the item has to be read first.
        arrival = read()
        prints, read = [arrival.fingerprint], lambda: arrival

    def carry(now: datetime, within: Within) -> None:
        routing.route_one(line, read, source=token.name, now=now, within=within)

    def results(outcomes: list[Outcome]) -> list[dict[str, Any]]:
        return [{"index": 0, "status": 201, "item": outcome_json(outcomes[0], token)}]

    return _once(request, token, line, prints, carry, results)


def _many(request: HttpRequest, token: ApiToken, line: Line, read: list[Arrival | door.Refusal]) -> tuple[Answer, bool]:
    """Carry a batch down the road; what was refused at the door is told in its place."""
    arrivals = [one for one in read if isinstance(one, Arrival)]
    prints = [one.fingerprint if isinstance(one, Arrival) else str(one) for one in read] if _key(request) else []

    def carry(now: datetime, within: Within) -> None:
        if arrivals:
            routing.route(line, arrivals, source=token.name, now=now, within=within)
        else:
            within([])

    def results(outcomes: list[Outcome]) -> list[dict[str, Any]]:
        bodies = iter([outcome_json(outcome, token) for outcome in outcomes])
        return [_result(index, one, bodies) for index, one in enumerate(read)]

    return _once(request, token, line, prints, carry, results)


def _once(
    request: HttpRequest,
    token: ApiToken,
    line: Line,
    prints: list[str],
    carry: Callable[[datetime, Within], None],
    results: Callable[[list[Outcome]], list[dict[str, Any]]],
) -> tuple[Answer, bool]:
    """Carry what came down the road, or return what was answered before under the same key."""
    now = timezone.now()

    def work(remember: Remember) -> Answer:
        answers: list[Answer] = []

        def within(outcomes: list[Outcome]) -> None:
            # Where the record was undone and written again, the last one holds.
            answers[:] = [Answer(201, {"results": results(outcomes)})]
            remember(answers[0])

        carry(now, within)
        return answers[0]

    return idempotency.once(token, _key(request), [f"POST {line.slug}", *prints], now=now, work=work)


def _key(request: HttpRequest) -> str:
    return str(request.META.get("HTTP_IDEMPOTENCY_KEY", ""))


def find_item(item_id: UUID | str, token: ApiToken) -> Item:
    """Return the item with its prediction, or raise ItemUnknown where this token may not see it."""
    items = with_predictions(Item.objects.filter(pk=item_id))
    if token.line_id is not None:
        items = items.filter(line=token.line_id)
    item = items.first()
    if item is None:
        raise ItemUnknown(f"There is no item {item_id} for this token.")
    return item


def _result(index: int, one: Arrival | door.Refusal, bodies: Any) -> dict[str, Any]:
    if isinstance(one, Arrival):
        return {"index": index, "status": 201, "item": next(bodies)}
    return {"index": index, "status": status_of(one), "problem": body_of(one)}


def _headers(replayed: bool) -> dict[str, str]:
    return {"Idempotent-Replayed": "true"} if replayed else {}
