"""Addresses of orders, as pages and over the API."""

from django.urls import path

from execution import api, pages

app_name = "execution"

urlpatterns = [
    path("orders/", pages.orders, name="orders"),
    path("orders/<slug:token>/", pages.order, name="order"),
    path("api/orders/", api.Orders.as_view(), name="api_orders"),
    path("api/orders/<slug:token>/", api.OneOrder.as_view(), name="api_order"),
]
