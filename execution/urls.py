"""Addresses of orders, as pages and over the API."""

from django.urls import path

from execution import api, pages, status_page

app_name = "execution"

urlpatterns = [
    path("status", status_page.status, name="status"),
    path("status.json", status_page.status_json, name="status_json"),
    path("status/now", status_page.status_now, name="status_now"),
    path("orders/", pages.orders, name="orders"),
    path("orders/<slug:token>/", pages.order, name="order"),
    path("api/orders/", api.Orders.as_view(), name="api_orders"),
    path("api/differences/", api.Differences.as_view(), name="api_differences"),
    path("api/orders/<slug:token>/", api.OneOrder.as_view(), name="api_order"),
]
