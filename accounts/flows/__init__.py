"""The verbs of this app: pages, REST API, admin and workers call these, and nothing else changes the rows.

What a user entered wrong is raised as Django's `ValidationError`, by field.
"""

from accounts.flows.api_tokens import create_api_token, delete_api_token, find_api_user
from accounts.flows.checks import Verifier, check_again, on_account_saved, record_check, record_refusal
from accounts.flows.hooks import (
    GRACE,
    NO_GRACE,
    change_hook,
    create_hook,
    delete_hook,
    disable_hook,
    enable_hook,
    hook_url,
    hook_used,
    rotate_hook_token,
    show_token,
)
from accounts.flows.keys import (
    add_account,
    change_account,
    delete_account,
    insist_on_key,
    make_default,
    pause_account,
    reasons_to_keep,
    replace_key,
    resume_account,
)
from accounts.flows.users import pause_user, resume_user

__all__ = [
    "GRACE",
    "NO_GRACE",
    "Verifier",
    "add_account",
    "change_account",
    "change_hook",
    "check_again",
    "create_api_token",
    "create_hook",
    "delete_account",
    "delete_api_token",
    "delete_hook",
    "disable_hook",
    "enable_hook",
    "find_api_user",
    "hook_url",
    "hook_used",
    "insist_on_key",
    "make_default",
    "on_account_saved",
    "pause_account",
    "pause_user",
    "reasons_to_keep",
    "record_check",
    "record_refusal",
    "replace_key",
    "resume_account",
    "resume_user",
    "rotate_hook_token",
    "show_token",
]
