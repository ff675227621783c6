"""Django's handle on the execution app; tells the accounts below who checks a new key and what keeps an account."""

from django.apps import AppConfig


class ExecutionConfig(AppConfig):
    name = "execution"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from accounts import flows  # noqa: PLC0415 - models are loaded now, not before
        from execution.brackets import guards_a_position  # noqa: PLC0415
        from execution.keycheck import request_check  # noqa: PLC0415

        if request_check not in flows.on_account_saved:
            flows.on_account_saved.append(request_check)
        if guards_a_position not in flows.reasons_to_keep:
            flows.reasons_to_keep.append(guards_a_position)
