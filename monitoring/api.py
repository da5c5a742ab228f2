"""The JSON API of a line's promises: what is certified, for programs that want to know before they rely on it."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from gateway import deployments, door
from gateway.api import ApiView
from monitoring.selectors.arrived import book_of
from monitoring.selectors.promises import Standing, standing_of
from policies.changes import active_policy
from policies.models import Certificate, Certification, Limit


class LimitSchema(serializers.Serializer[object]):
    """One limit with its proof; n, k and bound are null where it is not certified."""

    label = serializers.CharField()  # type: ignore[assignment]
    form = serializers.CharField(help_text="escape: of what is decided as the class. overkill: of what truly is the class.")
    epsilon = serializers.FloatField()
    certified = serializers.BooleanField()
    thresholds = serializers.DictField(child=serializers.FloatField(), help_text="What this limit alone allows.")
    n = serializers.IntegerField(allow_null=True)
    k = serializers.IntegerField(allow_null=True)
    bound = serializers.FloatField(allow_null=True)
    missing_audits = serializers.IntegerField(allow_null=True)


class CertificationSchema(serializers.Serializer[object]):
    """What a line promises and what is proven of it for its champion."""

    model = serializers.CharField(allow_null=True)
    delta = serializers.FloatField(help_text="All certified limits hold together with confidence 1 - delta.")
    thresholds = serializers.DictField(child=serializers.FloatField())
    audits = serializers.IntegerField()
    automated = serializers.IntegerField(help_text="Of the audited items, those decided alone at the thresholds.")
    sample_from = serializers.DateTimeField(allow_null=True)
    sample_to = serializers.DateTimeField(allow_null=True)
    data_digest = serializers.CharField(allow_null=True)
    certified_at = serializers.DateTimeField(allow_null=True)
    limits = LimitSchema(many=True)


class LineCertification(ApiView):
    """The certificate of a line's champion."""

    scopes = {"GET": "predictions:read"}

    @extend_schema(operation_id="certification_retrieve", responses={200: CertificationSchema})
    def get(self, request: Request, slug: str) -> Response:
        """Return the newest certification of the champion under today's limits, or the limits without proof."""
        line = door.open_line(slug, self.token)
        version = deployments.champion(line)
        found = standing_of(book_of(line), version, active_policy(line), timezone.now())
        return Response({"model": version.name if version else None, "delta": line.delta} | _json(found))


def _json(found: Standing) -> dict[str, Any]:
    row = found.certification
    proven = {(one.label, one.form): one for one in row.certificates.all()} if row else {}
    return _facts(row) | {
        "limits": [_limit(limit, proven.get((limit.label_class.key, limit.form))) for limit in found.limits],
    }


def _facts(row: Certification | None) -> dict[str, Any]:
    return {
        "thresholds": row.thresholds if row else {},
        "audits": row.audits if row else 0,
        "automated": row.automated if row else 0,
        "sample_from": row.sample_from if row else None,
        "sample_to": row.sample_to if row else None,
        "data_digest": row.data_digest if row else None,
        "certified_at": row.created_at if row else None,
    }


def _limit(limit: Limit, row: Certificate | None) -> dict[str, Any]:
    proof = row if row is not None and row.certified else None
    return {
        "label": limit.label_class.key,
        "form": limit.form,
        "epsilon": limit.epsilon,
        "certified": proof is not None,
        "thresholds": proof.thresholds if proof else {},
        "n": proof.n if proof else None,
        "k": proof.k if proof else None,
        "bound": proof.bound if proof else None,
        "missing_audits": row.missing if row is not None and proof is None else None,
    }
