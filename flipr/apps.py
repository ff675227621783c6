"""The project as an app: it has no models, it registers the checks of the environment."""

from django.apps import AppConfig


class FliprConfig(AppConfig):
    name = "flipr"

    def ready(self) -> None:
        from flipr import checks  # noqa: F401, PLC0415  (registers itself; needs the app registry)
