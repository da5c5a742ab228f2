"""The addresses of review."""

from __future__ import annotations

from django.urls import path

from review import api, console, pages

urlpatterns = [
    path("console/claims/<int:claim_id>/judge", console.judge, name="console-judge"),
    path("lines/<slug:slug>/console/next", console.take_next, name="console-next"),
    path("lines/<slug:slug>/console/last", console.last, name="console-last"),
    path("lines/<slug:slug>/console/", console.console, name="console"),
    path("console/heartbeat", console.heartbeat, name="console-heartbeat"),
    path("console/leave", console.leave, name="console-leave"),
    path("console/claims/<int:claim_id>/skip", console.skip, name="console-skip"),
    path("console/claims/<int:claim_id>/reveal", console.reveal, name="console-reveal"),
    path("console/judgements/<int:judgement_id>/revise", console.revise, name="console-revise"),
    path("recent/", pages.recent, name="recent"),
    path("api/v1/lines/<slug:slug>/labels", api.Labels.as_view(), name="api-labels"),
    path("api/v1/lines/<slug:slug>/datasets", api.Datasets.as_view(), name="api-datasets"),
    path("api/v1/lines/<slug:slug>/datasets/<int:number>/export", api.DatasetExport.as_view(), name="api-dataset-export"),
]
