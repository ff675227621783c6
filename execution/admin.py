"""Support's view of orders, brackets, alarms and differences: for looking, not for changing. What stands on an exchange is changed there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from execution.history import transitions_of
from execution.jobs import plain
from execution.models import Alarm, Bracket, Difference, Order, Transition

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


def _amount(name: str) -> Callable[[object, Model], str]:
    """A column without the zeros that it is padded with: a method of a ModelAdmin."""

    @admin.display(description=name.replace("_", " "), ordering=name)
    def shown(_admin: object, row: Model) -> str:
        return plain(getattr(row, name)) or "-"

    return shown


def _told(transitions: Iterable[Transition]) -> SafeString:
    """Line by line what changed, when, by whom and why."""
    lines = (
        (
            f"{each.at:%Y-%m-%d %H:%M:%S} UTC",
            "protection" if each.bracket_id else "order",
            each.change,
            f"{each.by}{': ' if each.why else ''}{each.why}",
        )
        for each in transitions
    )
    return format_html_join(mark_safe("<br>"), "{}, {}: {}, by {}", lines)


def _leg(leg: Mapping[str, Any]) -> str:
    """One stop or target with both of its ids, as JSON keeps it."""
    ids = " = ".join(filter(None, (leg.get("client_id"), leg.get("exchange_id")))) or "no id"
    size = f"{plain(Decimal(leg['quantity']))} at {plain(Decimal(leg['price']))}"
    error = f": {leg['error']}" if leg.get("error") else ""
    return f"{leg['kind']} {leg.get('number', '')}: {size}, {leg.get('status', '')} ({ids}){error}"


@admin.register(Order)
class OrderAdmin(OnlyLooking, AdminOfOrders):
    """Who, what, how it ended and why; what only its engineers read is folded away."""

    list_display = ("created_at", "user", "symbol", "venue", "action", "status", "filled_shown", "token")
    list_filter = ("status", "action", "venue", "environment", "region")
    list_select_related = ("user",)
    search_fields = (
        *("token", "delivery", "client_id", "exchange_id"),
        *("account__public_id", "user__email", "user__public_id"),
    )
    ordering = ("-created_at",)
    show_full_result_count = False
    readonly_fields = (
        "quantity_shown",
        "filled_shown",
        "average_price_shown",
        "its_delivery",
        "what_was_wrong",
        "what_happened",
    )
    fieldsets = (
        (None, {"fields": ("status", "what_was_wrong", "note", "what_happened")}),
        ("What was asked", {"fields": ("user", "account", "its_delivery", "command", "created_at")}),
        ("What it was taken for", {"fields": ("action", "side", "symbol", "venue", "environment", "tag")}),
        (
            "At the exchange",
            {
                "fields": (
                    *("instrument", "client_id", "exchange_id", "resting"),
                    *("quantity_shown", "filled_shown", "average_price_shown", "fee", "bracket"),
                )
            },
        ),
        (
            "Inside",
            {
                "classes": ("collapse",),
                "fields": (
                    *("token", "job", "position", "region", "step", "stop_policy", "lookups"),
                    *("would_send", "timing_ms", "fresh_until", "updated_at"),
                ),
            },
        ),
    )

    quantity_shown, filled_shown = _amount("quantity"), _amount("filled")
    average_price_shown = _amount("average_price")

    @admin.display(description="delivery")
    def its_delivery(self, order: Order) -> SafeString:
        where = reverse("admin:webhooks_delivery_changelist")
        return format_html('<a href="{}?q={}">{}</a>', where, order.delivery, order.delivery)

    @admin.display(description="error", empty_value="-")
    def what_was_wrong(self, order: Order) -> str | None:
        """In words; `code` first, which users quote."""
        if not order.error:
            return None
        words = (order.error.get(name) for name in ("code", "message", "hint"))
        theirs = (order.error.get(name) for name in ("exchange_code", "exchange_message"))
        told = " ".join(map(str, filter(None, theirs)))
        return ": ".join(map(str, filter(None, words))) + (f" (the exchange said: {told})" if told else "")

    @admin.display(description="what happened")
    def what_happened(self, order: Order) -> SafeString:
        return _told(transitions_of(order))


@admin.register(Bracket)
class BracketAdmin(OnlyLooking, AdminOfBrackets):
    list_display = (
        *("created_at", "user", "instrument", "venue", "direction"),
        *("quantity_shown", "status", "public_id"),
    )
    list_filter = ("status", "venue", "region")
    list_select_related = ("user",)
    # `legs` has the ids of stops and targets, ours and the exchange's
    search_fields = (
        *("public_id", "token", "entry_client_id", "entry_exchange_id", "legs"),
        *("account__public_id", "user__email", "user__public_id"),
    )
    ordering = ("-created_at",)
    show_full_result_count = False
    readonly_fields = (
        "quantity_shown",
        "closed_shown",
        "entry_price_shown",
        "entry_level_shown",
        "its_order",
        "its_legs",
        "what_happened",
    )
    fieldsets = (
        (None, {"fields": ("status", "note", "what_happened")}),
        ("Whose", {"fields": ("user", "account", "its_order", "created_at")}),
        (
            "The position",
            {
                "fields": (
                    "venue",
                    "instrument",
                    "direction",
                    "quantity_shown",
                    "closed_shown",
                    "entry_price_shown",
                )
            },
        ),
        ("Stop and targets", {"fields": ("its_legs", "stop_policy")}),
        (
            "Inside",
            {
                "classes": ("collapse",),
                "fields": (
                    *("public_id", "token", "symbol", "region", "hedge", "entry_client_id"),
                    *("entry_exchange_id", "entry_conditional", "entry_level_shown", "entry_open"),
                    *("legs", "plan", "gone_seen", "generation", "version", "updated_at"),
                ),
            },
        ),
    )

    quantity_shown, closed_shown = _amount("quantity"), _amount("closed")
    entry_price_shown, entry_level_shown = _amount("entry_price"), _amount("entry_level")

    @admin.display(description="order")
    def its_order(self, bracket: Bracket) -> SafeString:
        where = reverse("admin:execution_order_changelist")
        return format_html('<a href="{}?q={}">{}</a>', where, bracket.token, bracket.token)

    @admin.display(description="legs")
    def its_legs(self, bracket: Bracket) -> SafeString:
        return format_html_join(mark_safe("<br>"), "{}", ((_leg(leg),) for leg in bracket.legs))

    @admin.display(description="what happened")
    def what_happened(self, bracket: Bracket) -> SafeString:
        return _told(bracket.transitions.all())


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
    search_fields = (
        *("instrument", "order__token", "bracket__public_id"),
        *("account__public_id", "user__email", "user__public_id"),
    )
    ordering = ("-at",)
    show_full_result_count = False
    readonly_fields = ("believed_shown", "found_shown")
    fields = (
        *("user", "account", "venue", "instrument", "kind", "believed_shown", "found_shown"),
        *("why", "order", "bracket", "at"),
    )
