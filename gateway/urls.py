"""Every address of Sluice. Apps are named as strings: composition, not import."""

from __future__ import annotations

from typing import Any

from csp.constants import SELF, UNSAFE_INLINE
from csp.decorators import csp_update
from django.contrib import admin
from django.contrib.auth import views as auth
from django.contrib.auth.decorators import login_not_required
from django.urls import include, path, re_path
from django.views.decorators.csrf import csrf_exempt
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from gateway import api, archive_api, health, live, photos, problems

OPEN: dict[str, Any] = {"permission_classes": [], "authentication_classes": []}
# Swagger sets styles on its own elements; nothing but this page may.
DOCS = csp_update({"style-src": [SELF, UNSAFE_INLINE]})(SpectacularSwaggerSplitView.as_view(url_name="api-schema", **OPEN))
LOGIN = login_not_required(auth.LoginView.as_view(template_name="login.html", redirect_authenticated_user=True))

urlpatterns = [
    # First, as addresses are looked for in their order, and nobody waits for any as often as for these.
    path("", include("review.urls")),
    path("livez", health.live, name="livez"),
    path("readyz", health.ready, name="readyz"),
    path("login/", LOGIN, name="login"),
    path("logout/", auth.LogoutView.as_view(), name="logout"),
    path("live/<str:ticket>/", live.changed, name="live"),
    path("items/<uuid:item_id>/photo", photos.photo, name="item-photo"),
    path("items/<uuid:item_id>/thumbnail", photos.thumbnail, name="item-thumbnail"),
    path("api/v1/lines/<slug:slug>/items", api.Items.as_view(), name="api-items"),
    path("api/v1/lines/<slug:slug>/items/batch", api.ItemBatch.as_view(), name="api-item-batch"),
    path("api/v1/lines/<slug:slug>/items/archive", archive_api.ItemArchive.as_view(), name="api-item-archive"),
    path("api/v1/items/<uuid:item_id>", api.OneItem.as_view(), name="api-item"),
    path("api/v1/items/<uuid:item_id>/explanation", api.Explanation.as_view(), name="api-explanation"),
    path("api/v1/items/<uuid:item_id>/appeal", api.Appeal.as_view(), name="api-appeal"),
    path("api/schema/", SpectacularAPIView.as_view(**OPEN), name="api-schema"),
    path("api/docs/", DOCS, name="api-docs"),
    path("", include("monitoring.urls")),
    re_path(r"^api/", csrf_exempt(login_not_required(problems.unknown))),
    path("admin/", admin.site.urls),
]  # fmt: skip
