"""What error reports leave out: Django's own filter, also in DEBUG, where it would show everything."""

from __future__ import annotations

from django.http import HttpRequest
from django.views.debug import SafeExceptionReporterFilter


class AlwaysFiltered(SafeExceptionReporterFilter):
    """`sensitive_variables` on a view hides the variables of every frame below it."""

    def is_active(self, request: HttpRequest | None) -> bool:
        return True
