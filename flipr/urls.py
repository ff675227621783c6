"""Every address of the service; each app brings its own."""

from django.contrib import admin
from django.urls import include, path, re_path

from accounts.api import nowhere
from flipr.health import healthz

urlpatterns = [
    path("healthz", healthz, name="healthz"),
    path("admin/", admin.site.urls),
    path("user/", include("allauth.urls")),
    path("", include("webhooks.urls")),
    path("", include("execution.urls")),
    path("", include("accounts.urls")),
    re_path(r"^api/", nowhere),
]
