"""Addresses of hooks, of deliveries, and of the error codes."""

from django.urls import path, re_path

from webhooks import api, pages, views

app_name = "webhooks"

HOOK = r"^webhook/(?P<user_id>[^/]+)/(?P<token>[^/]+)"

urlpatterns = [
    re_path(rf"{HOOK}/?$", views.receive, name="receive"),
    re_path(rf"{HOOK}/(?P<delivery>d_[0-9a-z]+)/?$", views.result, name="result"),
    re_path(r"^webhook/.*$", views.nowhere, name="nowhere"),
    path("deliveries/", pages.deliveries, name="deliveries"),
    path("deliveries/<slug:public_id>/", pages.delivery, name="delivery"),
    path("deliveries/<slug:public_id>/part/", pages.delivery_part, name="delivery_part"),
    path("docs/syntax/", pages.syntax, name="syntax"),
    path("docs/api/", pages.programs, name="programs"),
    path("docs/errors/", pages.error_codes, name="error_codes"),
    path("docs/errors/<str:code>", pages.error_code, name="error_code"),
    path("docs/errors/<str:code>/", pages.error_code),
    path("api/deliveries/", api.Deliveries.as_view(), name="api_deliveries"),
    path("api/deliveries/<slug:public_id>/", api.OneDelivery.as_view(), name="api_delivery"),
]
