"""The JSON API for retraining jobs elsewhere: the label feed and dataset versions."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db import transaction
from django.http import StreamingHttpResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from gateway import door, idempotency
from gateway.api import KEY, REFUSED, ApiView
from gateway.errors import BadField
from gateway.idempotency import Answer, Remember
from review.datasets import freeze
from review.errors import DatasetUnknown
from review.exports import FORMATS
from review.models import DatasetVersion, Label
from review.splits import split_of


class LabelSchema(serializers.Serializer[object]):
    """One row of the feed."""

    sequence = serializers.IntegerField(help_text="The place in the feed; give the last one seen as `after`.")
    item = serializers.UUIDField()
    external_id = serializers.CharField()
    photo = serializers.CharField(allow_null=True, help_text="SHA-256 of the photo; null where it came without consent.")
    consent = serializers.BooleanField(help_text="Whether the photo may be kept and trained on.")
    answer = serializers.CharField(allow_null=True, help_text="Null withdraws the item's earlier label.")
    regions = serializers.ListField(child=serializers.DictField())
    source = serializers.CharField()  # type: ignore[assignment]
    blind = serializers.BooleanField()
    in_audit = serializers.BooleanField()
    inclusion_probability = serializers.FloatField(allow_null=True)
    split = serializers.CharField()
    created_at = serializers.DateTimeField()


class FeedSchema(serializers.Serializer[object]):
    """A page of the feed."""

    labels = LabelSchema(many=True)
    next = serializers.IntegerField(help_text="Give this as `after` to go on.")
    more = serializers.BooleanField()


class DatasetSchema(serializers.Serializer[object]):
    """A frozen dataset version."""

    number = serializers.IntegerField()
    digest = serializers.CharField()
    last_sequence = serializers.IntegerField()
    counts = serializers.DictField()
    created_at = serializers.DateTimeField()


class FeedRow(NamedTuple):
    """What the feed says of a label and its item."""

    sequence: int
    item: UUID
    answer: str
    regions: list[dict[str, Any]]
    source: str
    blind: bool
    in_audit: bool
    inclusion_probability: float | None
    created_at: datetime
    external_id: str
    media_digest: str
    consent: bool


OF_ITEM = ("external_id", "media_digest", "consent")
FEED = [f"item__{name}" if name in OF_ITEM else name for name in FeedRow._fields]


class Labels(ApiView):
    """The label feed of a line."""

    scopes = {"GET": "labels:read"}

    @extend_schema(
        operation_id="labels_list",
        parameters=[OpenApiParameter("after", int), OpenApiParameter("limit", int)],
        responses={200: FeedSchema, 422: REFUSED},
    )
    def get(self, request: Request, slug: str) -> Response:
        """Return the labels after a place in the feed, which never skips and never repeats one."""
        line = door.open_line(slug, self.token)
        after, limit = _number(request, "after", 0, 2**62), min(_number(request, "limit", 500, 2**31), 2000) or 1
        labels = Label.objects.filter(line=line, sequence__gt=after).order_by("sequence")
        # Plain rows: making objects of a page of labels and their items takes longer than all the rest.
        rows = [FeedRow(*row) for row in labels.values_list(*FEED)[: limit + 1]]
        page = rows[:limit]
        return Response(
            {
                "labels": [_label_json(line.slug, row) for row in page],
                "next": page[-1].sequence if page else after,
                "more": len(rows) > limit,
            }
        )


class Datasets(ApiView):
    """The dataset versions of a line."""

    scopes = {"GET": "labels:read", "POST": "datasets:write"}

    @extend_schema(operation_id="datasets_list", responses={200: DatasetSchema(many=True)})
    def get(self, request: Request, slug: str) -> Response:
        """List the versions, newest first."""
        line = door.open_line(slug, self.token)
        return Response([_dataset_json(one) for one in DatasetVersion.objects.filter(line=line).order_by("-number")[:200]])

    @extend_schema(operation_id="datasets_create", request=None, parameters=[KEY], responses={201: DatasetSchema, 409: REFUSED})
    def post(self, request: Request, slug: str) -> Response:
        """Freeze the labels as they stand. The same labels give the same version."""
        line, now = door.open_line(slug, self.token), timezone.now()

        def work(remember: Remember) -> Answer:
            with transaction.atomic():
                answer = Answer(201, _dataset_json(freeze(line, by=None, now=now)))
                remember(answer)
            return answer

        key = request.headers.get("Idempotency-Key", "")
        answer, _ = idempotency.once(self.token, key, [f"DATASET {line.slug}"], now=now, work=work)
        return Response(answer.body, status=answer.status)


class DatasetExport(ApiView):
    """A dataset version as a download."""

    scopes = {"GET": "labels:read"}

    @extend_schema(
        operation_id="datasets_export",
        parameters=[OpenApiParameter("as", str, enum=list(FORMATS))],
        responses={200: OpenApiTypes.BINARY, 404: REFUSED, 422: REFUSED},
    )
    def get(self, request: Request, slug: str, number: int) -> Any:
        """Stream a version as jsonl, coco or zip."""
        line = door.open_line(slug, self.token)
        version = DatasetVersion.objects.filter(line=line, number=number).select_related("line").first()
        if version is None:
            raise DatasetUnknown(f"The line {slug} has no dataset {number}.")
        name = request.query_params.get("as", "jsonl")
        if name not in FORMATS:
            raise BadField(f"as must be one of {', '.join(FORMATS)}, not {name[:20]!r}.")
        content_type, ending, stream = FORMATS[name]
        response = StreamingHttpResponse(stream(version), content_type=content_type)
        response["Content-Disposition"] = f'attachment; filename="{slug}-dataset-{number}.{ending}"'
        return response


def _number(request: Request, name: str, default: int, most: int) -> int:
    text = request.query_params.get(name, str(default))
    if not text.isascii() or not text.isdigit() or len(text) > 19 or int(text) > most:
        raise BadField(f"{name} must be a whole number, not {text[:20]!r}.")
    return int(text)


def _label_json(slug: str, label: FeedRow) -> dict[str, Any]:
    return {
        "sequence": label.sequence,
        "item": str(label.item),
        "external_id": label.external_id,
        # A label without consent counts in statistics; it is not for training, here or elsewhere.
        "photo": label.media_digest if label.consent else None,
        "consent": label.consent,
        "answer": label.answer or None,
        "regions": label.regions,
        "source": label.source,
        "blind": label.blind,
        "in_audit": label.in_audit,
        "inclusion_probability": label.inclusion_probability,
        "split": split_of(slug, label.external_id, label.media_digest),
        "created_at": label.created_at.isoformat(),
    }


def _dataset_json(version: DatasetVersion) -> dict[str, Any]:
    return {
        "number": version.number,
        "digest": version.digest,
        "last_sequence": version.last_sequence,
        "counts": version.counts,
        "created_at": version.created_at.isoformat(),
    }
