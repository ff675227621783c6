"""Support's view. Secrets are never shown, not even sealed or digested; changes go through the flows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from allauth.account.decorators import secure_admin_login
from django.apps import apps
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.text import capfirst

from accounts import flows
from accounts.models import Account, AccountEvent, AccountStatus, ApiToken, Hook, User

if TYPE_CHECKING:  # Django's own classes take no type arguments when they run
    AdminOfAccounts = admin.ModelAdmin[Account]
    AdminOfHooks = admin.ModelAdmin[Hook]
    AdminOfApiTokens = admin.ModelAdmin[ApiToken]
    AdminOfUsers = DjangoUserAdmin[User]
    EventsOfAccounts = admin.TabularInline[AccountEvent, Account]
else:
    AdminOfAccounts = AdminOfHooks = AdminOfApiTokens = admin.ModelAdmin
    AdminOfUsers = DjangoUserAdmin
    EventsOfAccounts = admin.TabularInline

PAUSED_BY_SUPPORT = "Paused by support."
OF_A_USER = "user__public_id"
#: who may change one of these becomes that user, or anybody
GIVES_WAY_IN = ("email", "is_active", "is_staff", "is_superuser", "groups", "user_permissions")

admin.site.site_header = admin.site.site_title = "flipr"
# Log-in through allauth, for its rate limits and e-mail confirmation.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]


@admin.register(User)
class UserAdmin(AdminOfUsers):
    list_display = ("email", "public_id", "plan", "is_paused", "is_active", "is_staff", "created")
    list_filter = ("is_paused", "is_active", "is_staff", "plan")
    search_fields = ("email", "public_id")
    ordering = ("-created",)
    readonly_fields = ("public_id", "is_paused", "created", "last_login", "everything")
    filter_horizontal = ("groups", "user_permissions")
    fieldsets = (
        (None, {"fields": ("email", "public_id", "plan", "everything")}),
        ("Trading", {"fields": ("is_paused", "pause_reason")}),
        ("Rights", {"fields": ("is_active", "is_staff", "is_superuser", "groups", "user_permissions")}),
        ("Times", {"fields": ("created", "last_login")}),
    )
    add_fieldsets = ((None, {"fields": ("email", "usable_password", "password1", "password2")}),)
    actions = ("pause", "resume")

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[Any, ...]:
        """Support that may change users pauses them. Only superusers change who somebody is: an address or a password
        of support's own would open that user's pages, and the URLs of hooks with them."""
        own = tuple(super().get_readonly_fields(request, obj))
        return own if obj is None or request.user.is_superuser else own + GIVES_WAY_IN

    def user_change_password(
        self,
        request: HttpRequest,
        id: str,  # noqa: A002  (as the address names it)
        form_url: str = "",
    ) -> HttpResponse:
        if not request.user.is_superuser:
            raise PermissionDenied
        return super().user_change_password(request, id, form_url)

    @admin.display(description="look at")
    def everything(self, user: User) -> SafeString:
        """A link to each list that can be narrowed to one user."""
        models = [model for model in apps.get_models() if _lists_users(model)]
        links = [(_changelist(model), user.public_id, _title(model)) for model in models]
        return format_html_join(" · ", '<a href="{}?q={}">{}</a>', links)

    @admin.action(description="Pause trading of the selected users", permissions=["change"])
    def pause(self, request: HttpRequest, users: QuerySet[User]) -> None:
        for user in users:
            flows.pause_user(user, user.pause_reason or PAUSED_BY_SUPPORT)
            self.log_change(request, user, "Paused.")
        messages.success(request, "Paused.")

    @admin.action(description="Resume trading of the selected users", permissions=["change"])
    def resume(self, request: HttpRequest, users: QuerySet[User]) -> None:
        for user in users:
            flows.resume_user(user)
            self.log_change(request, user, "Resumed.")
        messages.success(request, "Resumed.")


def _lists_users(model: type[Model]) -> bool:
    return admin.site.is_registered(model) and OF_A_USER in admin.site.get_model_admin(model).search_fields


def _changelist(model: type[Model]) -> str:
    about = admin.site.get_model_admin(model).opts
    return reverse(f"admin:{about.app_label}_{about.model_name}_changelist")


def _title(model: type[Model]) -> str:
    return capfirst(str(admin.site.get_model_admin(model).opts.verbose_name_plural))


class NotAdded:
    """Rows come from their owners; support looks, pauses and deletes."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False


class AccountEvents(EventsOfAccounts):
    """What happened to the key, and what its owner decided."""

    model = AccountEvent
    verbose_name_plural = "history"
    fields = readonly_fields = ("at", "text")
    can_delete = False
    max_num = 0


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
    inlines = (AccountEvents,)
    actions = ("pause", "resume")

    def has_delete_permission(self, request: HttpRequest, obj: Account | None = None) -> bool:
        """Only the flow asks whether a position is still guarded through it."""
        return False

    @admin.action(description="Pause the selected accounts", permissions=["change"])
    def pause(self, request: HttpRequest, accounts: QuerySet[Account]) -> None:
        for account in accounts:
            flows.pause_account(account, PAUSED_BY_SUPPORT)
            self.log_change(request, account, "Paused.")
        messages.success(request, "Paused.")

    @admin.action(description="Resume the selected accounts and check their keys", permissions=["change"])
    def resume(self, request: HttpRequest, accounts: QuerySet[Account]) -> None:
        for account in accounts.filter(status=AccountStatus.PAUSED):
            flows.resume_account(account)
            self.log_change(request, account, "Resumed.")
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
            self.log_change(request, hook, "Switched on.")
        messages.success(request, "Switched on.")

    @admin.action(description="Switch the selected hooks off", permissions=["change"])
    def disable(self, request: HttpRequest, hooks: QuerySet[Hook]) -> None:
        for hook in hooks:
            flows.disable_hook(hook)
            self.log_change(request, hook, "Switched off.")
        messages.success(request, "Switched off.")


@admin.register(ApiToken)
class ApiTokenAdmin(NotAdded, AdminOfApiTokens):
    list_display = ("name", "user", "public_id", "last_used_at", "created")
    list_select_related = ("user",)
    search_fields = ("user__email", "user__public_id", "public_id", "name")
    ordering = ("-created",)
    fields = ("user", "public_id", "name", "last_used_at", "created")
    readonly_fields = fields
