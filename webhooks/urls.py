"""Addresses of hooks, of deliveries, and of the error codes."""

from django.urls import re_path

from webhooks import views

app_name = "webhooks"

HOOK = r"^webhook/(?P<user_id>[^/]+)/(?P<token>[^/]+)"

urlpatterns = [
    re_path(rf"{HOOK}/?$", views.receive, name="receive"),
    re_path(rf"{HOOK}/(?P<delivery>d_[0-9a-z]+)/?$", views.result, name="result"),
    re_path(r"^webhook/.*$", views.nowhere, name="nowhere"),
]
