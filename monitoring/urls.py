"""The addresses of the control room."""

from __future__ import annotations

from django.urls import path

from monitoring.views import conveyor, home, items, line, models, policies, settings, tokens

urlpatterns = [
    path("", home.home, name="home"),
    path("lines/new/", settings.new_line, name="line-new"),
    path("lines/<slug:slug>/", line.line, name="line"),
    path("lines/<slug:slug>/settings/", settings.line_settings, name="line-settings"),
    path("lines/<slug:slug>/settings/save/", settings.save_settings, name="line-settings-save"),
    path("lines/<slug:slug>/settings/retire/", settings.retire, name="line-retire"),
    path("lines/<slug:slug>/queue/", line.queue_now, name="line-queue"),
    path("lines/<slug:slug>/flow/", line.flow_now, name="line-flow"),
    path("lines/<slug:slug>/dial/", line.change_dial, name="line-dial"),
    path("lines/<slug:slug>/stop/", line.stop, name="line-stop"),
    path("lines/<slug:slug>/conveyor/", conveyor.set_conveyor, name="line-conveyor"),
    path("lines/<slug:slug>/conveyor/state/", conveyor.conveyor_now, name="line-conveyor-state"),
    path("lines/<slug:slug>/policies/", policies.line_policies, name="line-policies"),
    path("lines/<slug:slug>/policies/rollback/", policies.rollback, name="line-rollback"),
    path("lines/<slug:slug>/training/", models.training_now, name="line-training"),
    path("lines/<slug:slug>/retrain/", models.retrain, name="line-retrain"),
    path("lines/<slug:slug>/models/", models.line_models, name="line-models"),
    path("lines/<slug:slug>/models/back/", models.step_back, name="line-step-back"),
    path("lines/<slug:slug>/models/challenger/retire/", models.retire_challenger, name="line-retire-challenger"),
    path("lines/<slug:slug>/models/<str:name>/", models.model, name="model"),
    path("lines/<slug:slug>/models/<str:name>/<slug:role>/", models.deploy, name="model-deploy"),
    path("lines/<slug:slug>/items/", items.line_items, name="line-items"),
    path("items/<uuid:item_id>/", items.item, name="item"),
    path("tokens/", tokens.tokens, name="tokens"),
    path("tokens/new/", tokens.token_create, name="token-create"),
    path("tokens/<int:token_id>/revoke/", tokens.token_revoke, name="token-revoke"),
]
