"""Django's handle on the execution app; tells the accounts below who checks a new key."""

from django.apps import AppConfig


class ExecutionConfig(AppConfig):
    name = "execution"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from accounts import flows  # noqa: PLC0415 - models are loaded now, not before
        from execution.keycheck import request_check  # noqa: PLC0415

        if request_check not in flows.on_account_saved:
            flows.on_account_saved.append(request_check)
