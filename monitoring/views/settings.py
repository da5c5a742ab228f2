"""A new line, and what a manager may choose for one."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from gateway.errors import ApprovalsKept
from gateway.lines import change_line, retire_line
from gateway.roles import manager_required
from monitoring.line_forms import NewLineForm, SettingsForm, book_forms
from monitoring.views.answers import find_line, refusal, user_of
from policies.changes import Draft
from policies.errors import PolicyError
from policies.lines import create_line
from policies.modes import Mode


@require_http_methods(["GET", "POST"])
@manager_required
def new_line(request: HttpRequest) -> HttpResponse:
    """Make a line. It starts at the safe end of the dial: people decide everything."""
    form = NewLineForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            line = create_line(
                form.slug,
                form.cleaned_data["name"],
                form.cleaned_data["question"],
                form.cleaned_data["classes"],
                Draft(Mode.HUMAN_ONLY),
                now=timezone.now(),
                by=user_of(request),
            )
        except PolicyError as error:
            form.add_error("classes", refusal(error))
        else:
            messages.success(request, f"{line.name} is open. Photos are posted to /api/v1/lines/{line.slug}/items.")
            return redirect("line-settings", line.slug)
    return render(request, "monitoring/new_line.html", {"form": form}, status=422 if form.is_bound else 200)


@require_GET
@manager_required
def line_settings(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the settings and the label book."""
    line = find_line(slug)
    return _render(request, slug, SettingsForm(instance=line), book_forms(line), 200)


@require_POST
@manager_required
def save_settings(request: HttpRequest, slug: str) -> HttpResponse:
    """Change the settings and the label book; what is wrong is said and changes nothing."""
    line = find_line(slug)
    form, book = SettingsForm(request.POST, instance=find_line(slug)), book_forms(line, request.POST)
    # Every form is asked, so that all complaints are shown at once.
    if not all([form.is_valid(), *(entry.is_valid() for entry in book.values())]):
        return _render(request, slug, form, book, 422)
    texts = {
        key: {name: text.replace("\r\n", "\n") for name, text in entry.cleaned_data.items()} for key, entry in book.items()
    }
    try:
        changed = change_line(line, settings=form.cleaned_data, book=texts, by=user_of(request), now=timezone.now())
    except ApprovalsKept as error:
        form.add_error("approvals", error.detail)
        return _render(request, slug, form, book, 422)
    if changed:
        messages.success(request, "Saved. It holds from the next item on.")
    else:
        messages.info(request, "Nothing was different.")
    return redirect("line-settings", slug)


@require_POST
@manager_required
def retire(request: HttpRequest, slug: str) -> HttpResponse:
    """Close a line for new items, or open it again."""
    line, retired = find_line(slug), request.POST.get("retired") == "1"
    if retire_line(line, retired=retired, by=user_of(request), now=timezone.now()):
        words = "takes no more items; what waits can still be judged" if retired else "takes items again"
        messages.success(request, f"{line.name} {words}.")
    return redirect("line-settings", slug)


def _render(request: HttpRequest, slug: str, form: SettingsForm, book: object, status: int) -> HttpResponse:
    context = {"line": find_line(slug), "form": form, "book": book, "settings_page": True}
    return render(request, "monitoring/settings.html", context, status=status)
