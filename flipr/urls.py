"""Every address of the service; each app brings its own."""

from importlib.util import find_spec

from django.contrib import admin
from django.urls import include, path

from flipr.health import healthz

urlpatterns = [
    path("healthz", healthz, name="healthz"),
    path("admin/", admin.site.urls),
    path("user/", include("allauth.urls")),
    *(
        path("", include(f"{app}.urls"))
        for app in ("webhooks", "execution", "accounts")
        if find_spec(f"{app}.urls")
    ),
]
