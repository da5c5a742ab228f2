"""The versions of models that were made. A row is written once and never changed."""

from __future__ import annotations

from django.db import models


class ModelVersion(models.Model):
    """One trained model: its weights by digest, what it can answer, and how well it did. It knows no line."""

    name = models.CharField(max_length=80, unique=True)
    kind = models.CharField(max_length=40)
    runtime = models.CharField(max_length=40)
    # Names of the classes; the first is the negative.
    classes = models.JSONField()
    weights_digest = models.CharField(max_length=64, db_index=True)
    card = models.JSONField()
    metrics = models.JSONField(default=dict)
    dataset_digest = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created_at", "-pk"]
        constraints = [models.CheckConstraint(condition=~models.Q(weights_digest=""), name="model_version_has_weights")]

    def __str__(self) -> str:
        return self.name
