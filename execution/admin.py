"""Support's view of orders, brackets, alarms and differences: for looking, not for changing. What stands on an exchange is changed there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import admin
from django.http import HttpRequest

from execution.models import Alarm, Bracket, Difference, Order

if TYPE_CHECKING:  # Django's own class takes no type arguments when it runs
    AdminOfOrders = admin.ModelAdmin[Order]
    AdminOfBrackets = admin.ModelAdmin[Bracket]
    AdminOfDifferences = admin.ModelAdmin[Difference]
    AdminOfAlarms = admin.ModelAdmin[Alarm]
else:
    AdminOfOrders = AdminOfBrackets = AdminOfDifferences = AdminOfAlarms = admin.ModelAdmin


class OnlyLooking:
    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False


@admin.register(Order)
class OrderAdmin(OnlyLooking, AdminOfOrders):
    list_display = ("token", "status", "symbol", "venue", "action", "user", "filled", "created_at")
    list_filter = ("status", "action", "venue", "environment", "region")
    list_select_related = ("user",)
    search_fields = ("token", "delivery", "client_id", "exchange_id", "user__email", "user__public_id")
    ordering = ("-created_at",)
    show_full_result_count = False


@admin.register(Bracket)
class BracketAdmin(OnlyLooking, AdminOfBrackets):
    list_display = (
        "public_id",
        "status",
        "instrument",
        "venue",
        "direction",
        "quantity",
        "user",
        "updated_at",
    )
    list_filter = ("status", "venue", "region")
    list_select_related = ("user",)
    search_fields = ("public_id", "token", "entry_client_id", "user__email", "user__public_id")
    ordering = ("-created_at",)
    show_full_result_count = False


@admin.register(Alarm)
class AlarmAdmin(OnlyLooking, AdminOfAlarms):
    list_display = ("since", "user", "subject", "why", "told_at", "over_at")
    list_filter = (("over_at", admin.EmptyFieldListFilter),)
    list_select_related = ("user", "bracket", "order")
    raw_id_fields = ("order", "bracket")
    search_fields = ("order__token", "bracket__public_id", "user__email", "user__public_id")
    show_full_result_count = False


@admin.register(Difference)
class DifferenceAdmin(OnlyLooking, AdminOfDifferences):
    list_display = ("at", "user", "account", "instrument", "venue", "kind", "believed_shown", "found_shown")
    list_filter = ("kind", "venue")
    list_select_related = ("user", "account")
    raw_id_fields = ("order", "bracket")
    search_fields = ("instrument", "order__token", "bracket__public_id", "user__email", "user__public_id")
    ordering = ("-at",)
    show_full_result_count = False
