"""Support's view. Secrets are never shown, not even sealed or digested; changes go through the flows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from allauth.account.decorators import secure_admin_login
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts import flows
from accounts.models import Account, AccountStatus, ApiToken, Hook, User

if TYPE_CHECKING:  # Django's own classes take no type arguments when they run
    AdminOfAccounts = admin.ModelAdmin[Account]
    AdminOfHooks = admin.ModelAdmin[Hook]
    AdminOfApiTokens = admin.ModelAdmin[ApiToken]
    AdminOfUsers = DjangoUserAdmin[User]
else:
    AdminOfAccounts = AdminOfHooks = AdminOfApiTokens = admin.ModelAdmin
    AdminOfUsers = DjangoUserAdmin

PAUSED_BY_SUPPORT = "Paused by support."

admin.site.site_header = admin.site.site_title = "flipr"
# Log-in through allauth, for its rate limits and e-mail confirmation.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]


@admin.register(User)
class UserAdmin(AdminOfUsers):
    list_display = ("email", "public_id", "plan", "is_paused", "is_active", "is_staff", "created")
    list_filter = ("is_paused", "is_active", "is_staff", "plan")
    search_fields = ("email", "public_id")
    ordering = ("-created",)
    readonly_fields = ("public_id", "is_paused", "created", "last_login")
    filter_horizontal = ("groups", "user_permissions")
    fieldsets = (
        (None, {"fields": ("email", "public_id", "plan")}),
        ("Trading", {"fields": ("is_paused", "pause_reason")}),
        ("Rights", {"fields": ("is_active", "is_staff", "is_superuser", "groups", "user_permissions")}),
        ("Times", {"fields": ("created", "last_login")}),
    )
    add_fieldsets = ((None, {"fields": ("email", "usable_password", "password1", "password2")}),)
    actions = ("pause", "resume")

    @admin.action(description="Pause trading of the selected users", permissions=["change"])
    def pause(self, request: HttpRequest, users: QuerySet[User]) -> None:
        for user in users:
            flows.pause_user(user, user.pause_reason or PAUSED_BY_SUPPORT)
        messages.success(request, "Paused.")

    @admin.action(description="Resume trading of the selected users", permissions=["change"])
    def resume(self, request: HttpRequest, users: QuerySet[User]) -> None:
        for user in users:
            flows.resume_user(user)
        messages.success(request, "Resumed.")


class NotAdded:
    """Rows come from their owners; support looks, pauses and deletes."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False


@admin.register(Account)
class AccountAdmin(NotAdded, AdminOfAccounts):
    list_display = (
        "label",
        "user",
        "exchange",
        "environment",
        "key_fingerprint",
        "status",
        "is_default",
        "checked_at",
    )
    list_filter = ("exchange", "environment", "status")
    list_select_related = ("user",)
    search_fields = ("user__email", "user__public_id", "public_id", "label")
    ordering = ("-created",)
    fields = (
        "user",
        "public_id",
        "exchange",
        "label",
        "environment",
        "key_fingerprint",
        "status",
        "status_reason",
        "checked_at",
        "key_facts",
        "opposite_signal",
        "is_default",
        "created",
        "updated",
    )
    readonly_fields = fields
    actions = ("pause", "resume")

    def has_delete_permission(self, request: HttpRequest, obj: Account | None = None) -> bool:
        """Only the flow asks whether a position is still guarded through it."""
        return False

    @admin.action(description="Pause the selected accounts", permissions=["change"])
    def pause(self, request: HttpRequest, accounts: QuerySet[Account]) -> None:
        for account in accounts:
            flows.pause_account(account, PAUSED_BY_SUPPORT)
        messages.success(request, "Paused.")

    @admin.action(description="Resume the selected accounts and check their keys", permissions=["change"])
    def resume(self, request: HttpRequest, accounts: QuerySet[Account]) -> None:
        for account in accounts.filter(status=AccountStatus.PAUSED):
            flows.resume_account(account)
        messages.success(request, "Resumed; the keys are being checked.")


@admin.register(Hook)
class HookAdmin(NotAdded, AdminOfHooks):
    list_display = ("name", "user", "public_id", "enabled", "stop_policy", "last_used_at", "created")
    list_filter = ("enabled", "stop_policy")
    list_select_related = ("user",)
    search_fields = ("user__email", "user__public_id", "public_id", "name")
    ordering = ("-created",)
    fields = (
        "user",
        "public_id",
        "name",
        "enabled",
        "stop_policy",
        "allowed_sources",
        "previous_until",
        "last_used_at",
        "created",
    )
    readonly_fields = fields
    actions = ("enable", "disable")

    @admin.action(description="Switch the selected hooks on", permissions=["change"])
    def enable(self, request: HttpRequest, hooks: QuerySet[Hook]) -> None:
        for hook in hooks:
            flows.enable_hook(hook)
        messages.success(request, "Switched on.")

    @admin.action(description="Switch the selected hooks off", permissions=["change"])
    def disable(self, request: HttpRequest, hooks: QuerySet[Hook]) -> None:
        for hook in hooks:
            flows.disable_hook(hook)
        messages.success(request, "Switched off.")


@admin.register(ApiToken)
class ApiTokenAdmin(NotAdded, AdminOfApiTokens):
    list_display = ("name", "user", "public_id", "last_used_at", "created")
    list_select_related = ("user",)
    search_fields = ("user__email", "user__public_id", "public_id", "name")
    ordering = ("-created",)
    fields = ("user", "public_id", "name", "last_used_at", "created")
    readonly_fields = fields
