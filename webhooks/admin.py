"""Support's view of deliveries: for looking, not for changing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from execution.models import Order
from webhooks.models import Delivery

if TYPE_CHECKING:  # Django's own class takes no type arguments when it runs
    AdminOfDeliveries = admin.ModelAdmin[Delivery]
else:
    AdminOfDeliveries = admin.ModelAdmin


@admin.register(Delivery)
class DeliveryAdmin(AdminOfDeliveries):
    list_display = ("public_id", "status", "http_status", "user", "hook", "source", "dry_run", "created_at")
    list_filter = ("status", "http_status", "dry_run")
    list_select_related = ("user", "hook")
    search_fields = ("public_id", "user__email", "user__public_id")
    ordering = ("-public_id",)
    show_full_result_count = False
    fields = (
        "public_id",
        "user",
        "hook",
        "status",
        "http_status",
        "error",
        "its_orders",
        "body",
        "content_type",
        "source",
        "key",
        "dry_run",
        "wait_seconds",
        "duplicate_of",
        "attempts",
        "timing_ms",
        "created_at",
        "answered_at",
    )

    readonly_fields = ("its_orders",)

    @admin.display(description="orders", empty_value="-")
    def its_orders(self, delivery: Delivery) -> SafeString | None:
        rows = Order.objects.filter(user=delivery.user_id, delivery=delivery.public_id).order_by("position")
        links = [(reverse("admin:execution_order_change", args=[row.pk]), row) for row in rows]
        return format_html_join(", ", '<a href="{}">{}</a>', links) or None

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Delivery | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Delivery | None = None) -> bool:
        return False
