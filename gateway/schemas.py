"""The shapes of the API for its OpenAPI document. Schemas only: nothing is validated or saved here."""

from __future__ import annotations

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework import serializers

from gateway.models import DecidedBy, ItemState
from policies.decide import Reason, Route
from policies.modes import Mode


class ProblemSchema(serializers.Serializer[object]):
    """RFC 9457 problem details."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    code = serializers.CharField(help_text="Stable; for programs to tell errors apart.")
    detail = serializers.CharField(help_text="What was wrong and why, for people.")


class RegionSchema(serializers.Serializer[object]):
    """A box in the upright photo, in shares of its width and height."""

    label = serializers.CharField()  # type: ignore[assignment]
    x = serializers.FloatField()
    y = serializers.FloatField()
    width = serializers.FloatField()
    height = serializers.FloatField()
    score = serializers.FloatField(required=False)


class PredictionSchema(serializers.Serializer[object]):
    """What the model said."""

    answer = serializers.CharField()
    probabilities = serializers.DictField(child=serializers.FloatField())
    regions = RegionSchema(many=True)
    latency_ms = serializers.FloatField(allow_null=True)


class PhotoSchema(serializers.Serializer[object]):
    """The photo's facts."""

    sha256 = serializers.CharField()
    media_type = serializers.CharField()
    bytes = serializers.IntegerField()
    width = serializers.IntegerField()
    height = serializers.IntegerField()
    deleted_at = serializers.DateTimeField(allow_null=True, help_text="Since when it is no longer kept.")


class ItemSchema(serializers.Serializer[object]):
    """An item and what became of it."""

    id = serializers.UUIDField()
    line = serializers.CharField()
    external_id = serializers.CharField()
    metadata = serializers.DictField()
    consent = serializers.BooleanField(help_text="False: no photo is kept after the decision, and nothing is trained on it.")
    status = serializers.ChoiceField(choices=ItemState.choices)
    decision = serializers.CharField(allow_null=True, help_text="The class that counts now; null while people are asked.")
    decided_by = serializers.ChoiceField(choices=DecidedBy.choices, allow_null=True)
    decided_at = serializers.DateTimeField(allow_null=True)
    revision = serializers.IntegerField(help_text="Goes up with every decision that supersedes another.")
    route = serializers.ChoiceField(choices=[(route.value, route.value) for route in Route])
    reason = serializers.ChoiceField(choices=[(reason.value, reason.value) for reason in Reason])
    policy_version = serializers.IntegerField()
    mode = serializers.ChoiceField(choices=[(mode.value, mode.value) for mode in Mode])
    model_version = serializers.CharField(allow_null=True)
    received_at = serializers.DateTimeField()
    photo = PhotoSchema()
    prediction = PredictionSchema(required=False, allow_null=True, help_text="Only for tokens with predictions:read.")


class MultipartItemSchema(serializers.Serializer[object]):
    """One item as a form."""

    image = serializers.FileField()
    external_id = serializers.CharField(required=False, max_length=200)
    metadata = serializers.CharField(required=False, help_text="A JSON object.")
    consent = serializers.BooleanField(required=False, default=True, help_text="False: keep no photo after the decision.")
    prediction = serializers.CharField(
        required=False, help_text='JSON: {"probabilities": {class: number}, "regions": [{label, x, y, width, height}]}'
    )


class MultipartBatchSchema(serializers.Serializer[object]):
    """Many items as a form."""

    image = serializers.ListField(child=serializers.FileField())
    items = serializers.CharField(
        required=False, help_text="A JSON list with one object a file: external_id, metadata, prediction, consent."
    )


class BatchResultSchema(serializers.Serializer[object]):
    """What became of one item of a batch: `item` where it was taken, `problem` where it was refused."""

    index = serializers.IntegerField()
    status = serializers.IntegerField()
    item = ItemSchema(required=False)
    problem = ProblemSchema(required=False)


class BatchSchema(serializers.Serializer[object]):
    """One result an item, in the order of the files."""

    results = BatchResultSchema(many=True)


class ArchiveTotalSchema(serializers.Serializer[object]):
    """How many photos of an archive became what."""

    taken = serializers.IntegerField()
    replayed = serializers.IntegerField(help_text="Answered as they were the first time under the same Idempotency-Key.")
    refused = serializers.IntegerField()
    skipped = serializers.IntegerField(help_text="What file managers leave beside photos, such as .DS_Store.")


class ArchiveLineSchema(serializers.Serializer[object]):
    """One line of the answer to an archive; the last has `complete` and `total`, and the others the rest."""

    index = serializers.IntegerField(required=False, allow_null=True, help_text="Null for a file that did not come.")
    file = serializers.CharField(required=False)
    status = serializers.IntegerField(required=False)
    item = ItemSchema(required=False)
    problem = ProblemSchema(required=False, help_text="Why it was refused; on the last line, why not everything was read.")
    complete = serializers.BooleanField(required=False)
    total = ArchiveTotalSchema(required=False)


class AppealSchema(serializers.Serializer[object]):
    """Why the decision is doubted."""

    reason = serializers.CharField(max_length=500)


class ExplanationSchema(serializers.Serializer[object]):
    """Why an item went where it went."""

    item = serializers.UUIDField()
    route = serializers.CharField()
    reason = serializers.CharField()
    policy_version = serializers.IntegerField()
    mode = serializers.CharField()
    thresholds = serializers.DictField(child=serializers.FloatField())
    audit_rate = serializers.FloatField()
    draw = serializers.FloatField()
    in_audit = serializers.BooleanField()
    model_version = serializers.CharField(allow_null=True)
    answer = serializers.CharField(allow_null=True)
    score = serializers.FloatField(allow_null=True)
    threshold = serializers.FloatField(allow_null=True)
    probabilities = serializers.DictField(child=serializers.FloatField(), allow_null=True)
    sentences = serializers.ListField(child=serializers.CharField())


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the tokens look in the OpenAPI document."""

    target_class = "gateway.authentication.BearerAuthentication"
    name = "bearer"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        """Return the security scheme object."""
        return {"type": "http", "scheme": "bearer"}
