"""Addresses of hooks, of deliveries, and of the error codes."""

from django.urls import re_path

from webhooks import views

HOOK = r"^webhook/(?P<user_id>[^/]+)/(?P<token>[^/]+)"

urlpatterns = [
    re_path(rf"{HOOK}/?$", views.receive, name="webhook"),
    re_path(rf"{HOOK}/(?P<delivery>d_[0-9a-z]+)/?$", views.result, name="webhook_result"),
    re_path(r"^webhook/.*$", views.nowhere, name="webhook_nowhere"),
]
