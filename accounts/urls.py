"""Addresses of users, accounts, hooks and settings: pages, then the REST API."""

from __future__ import annotations

from django.urls import path

from accounts import api
from accounts.pages import accounts, docs, home, hooks, settings

app_name = "accounts"

urlpatterns = [
    path("", home.home, name="home"),
    path("docs/", docs.exchanges, name="docs"),
    path("accounts/", accounts.listed, name="accounts"),
    path("accounts/add/", accounts.choose, name="account_choose"),
    path("accounts/add/<slug:exchange>/", accounts.add, name="account_add"),
    path("accounts/<slug:public_id>/", accounts.detail, name="account"),
    path("accounts/<slug:public_id>/status/", accounts.status, name="account_status"),
    path("accounts/<slug:public_id>/change/", accounts.change, name="account_change"),
    path("accounts/<slug:public_id>/key/", accounts.replace, name="account_replace"),
    path("accounts/<slug:public_id>/check/", accounts.check, name="account_check"),
    path("accounts/<slug:public_id>/insist/", accounts.insist, name="account_insist"),
    path("accounts/<slug:public_id>/pause/", accounts.pause, name="account_pause"),
    path("accounts/<slug:public_id>/resume/", accounts.resume, name="account_resume"),
    path("accounts/<slug:public_id>/default/", accounts.default, name="account_default"),
    path("accounts/<slug:public_id>/delete/", accounts.delete, name="account_delete"),
    path("hooks/", hooks.listed, name="hooks"),
    path("hooks/add/", hooks.add, name="hook_add"),
    path("hooks/<slug:public_id>/", hooks.detail, name="hook"),
    path("hooks/<slug:public_id>/url/", hooks.url, name="hook_url"),
    path("hooks/<slug:public_id>/change/", hooks.change, name="hook_change"),
    path("hooks/<slug:public_id>/rotate/", hooks.rotate, name="hook_rotate"),
    path("hooks/<slug:public_id>/enable/", hooks.enable, name="hook_enable"),
    path("hooks/<slug:public_id>/disable/", hooks.disable, name="hook_disable"),
    path("hooks/<slug:public_id>/delete/", hooks.delete, name="hook_delete"),
    path("settings/", settings.overview, name="settings"),
    path("settings/tokens/add/", settings.api_token_add, name="settings_token_add"),
    path("settings/tokens/<slug:public_id>/delete/", settings.api_token_delete, name="settings_token_delete"),
    path("api/accounts/", api.Accounts.as_view(), name="api_accounts"),
    path("api/accounts/<slug:public_id>/", api.OneAccount.as_view(), name="api_account"),
    path("api/accounts/<slug:public_id>/history/", api.AccountHistory.as_view(), name="api_account_history"),
    path("api/accounts/<slug:public_id>/<slug:verb>/", api.AccountVerb.as_view(), name="api_account_verb"),
    path("api/hooks/", api.Hooks.as_view(), name="api_hooks"),
    path("api/hooks/<slug:public_id>/", api.OneHook.as_view(), name="api_hook"),
    path("api/hooks/<slug:public_id>/<slug:verb>/", api.HookVerb.as_view(), name="api_hook_verb"),
]
