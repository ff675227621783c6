"""Addresses of orders, as pages and over the API."""

from django.urls import path

app_name = "execution"
urlpatterns: list[path] = []
