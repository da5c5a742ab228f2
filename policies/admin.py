"""For operators: lines and their label books. Policies are not here, since only `policies.changes` may write them."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest

from policies.models import LabelClass, Line


class LabelClassInline(admin.TabularInline[LabelClass, Line]):
    """A line's label book. Keys stay what they are: labels and models name them."""

    model = LabelClass
    extra = 0
    fields = ("key", "name", "hotkey", "definition", "examples", "counter_examples")
    readonly_fields = ("key",)
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Line | None = None) -> bool:
        """Classes come with the line."""
        return False


@admin.register(Line)
class LineAdmin(admin.ModelAdmin[Line]):
    """A line's settings, to look at: they are changed on its own page, which leaves an event."""

    list_display = ("slug", "name", "kind", "retired_at")
    exclude = ("secret",)
    inlines = (LabelClassInline,)

    def has_change_permission(self, request: HttpRequest, obj: Line | None = None) -> bool:
        """Nothing here is changed behind the pages' back."""
        return False

    def has_add_permission(self, request: HttpRequest) -> bool:
        """A line without a policy would be no line: it is made by `policies.lines.create_line`."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Line | None = None) -> bool:
        """A line is retired, not deleted."""
        return False
