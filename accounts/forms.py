"""Forms of the pages. They read and word what a user enters; the flows decide."""

from __future__ import annotations

from typing import Any

from django import forms

from accounts.families import FIELD_TITLES, Family
from accounts.models import NAME_LENGTH, Account, Hook, opposite_signals, stop_policies, valid_name
from exchanges.types import Credentials, Environment

ENVIRONMENT_TITLES = {
    Environment.LIVE: "Live: real money",
    Environment.TESTNET: "The exchange's own test net",
    Environment.SANDBOX: "Sandbox: flipr's simulated exchange",
}


class SecretInput(forms.PasswordInput):
    """Never filled in again by the server, and not for the browser or a password keeper to remember."""

    def __init__(self, *, visible: bool) -> None:
        hints = {
            "autocomplete": "off",
            "spellcheck": "false",
            "autocapitalize": "none",
            "data-1p-ignore": "",
            "data-lpignore": "true",
            "class": "secret",
        }
        super().__init__(attrs=hints, render_value=False)
        if visible:
            self.input_type = "text"


class KeyForm(forms.Form):
    """The fields of one key family, in its order."""

    accept_withdrawal = forms.BooleanField(
        label="Take the key even if it may withdraw",
        required=False,
        help_text="Not advised. Whoever gets hold of such a key can empty the account; flipr never needs that right, "
        "and refuses the key without this tick. What you choose is kept in the account's history.",
    )
    field_order = ("label", "environment", *FIELD_TITLES, "accept_withdrawal")

    def __init__(self, opened: Family, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, title in zip(opened.fields, opened.titles, strict=True):
            self.fields[name] = forms.CharField(label=title, widget=SecretInput(visible=name == "key"))
        self.order_fields(self.field_order)

    def credentials(self) -> Credentials:
        given = {name: self.cleaned_data.get(name, "") for name in FIELD_TITLES}
        return Credentials(**given)


class AccountForm(KeyForm):
    """A new key with its name and environment."""

    label = forms.CharField(
        label="Name",
        max_length=32,
        validators=[valid_name],
        help_text="Yours to choose. In a message, “using” followed by this name picks the key.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    environment = forms.ChoiceField(label="Environment", widget=forms.RadioSelect)

    def __init__(self, opened: Family, *args: Any, **kwargs: Any) -> None:
        super().__init__(opened, *args, **kwargs)
        choices = [(name.value, ENVIRONMENT_TITLES[name]) for name in opened.environments]
        environment = self.fields["environment"]
        assert isinstance(environment, forms.ChoiceField)
        environment.choices = choices
        self.initial.setdefault("environment", choices[0][0])
        self.initial.setdefault("label", "main")


class AccountSettingsForm(forms.Form):
    label = forms.CharField(
        label="Name",
        max_length=32,
        validators=[valid_name],
        help_text="Messages that say “using” and the old name stop working when you change it.",
    )
    opposite_signal = forms.ChoiceField(
        label="A buy or sell against an open futures position",
        choices=opposite_signals,
        widget=forms.RadioSelect,
        help_text="For plain orders only. “close”, “reverse” and “go” always mean what they say.",
    )

    @classmethod
    def of(cls, account: Account, data: Any = None) -> AccountSettingsForm:
        return cls(data, initial={"label": account.label, "opposite_signal": account.opposite_signal})


class HookForm(forms.Form):
    name = forms.CharField(
        label="Name",
        max_length=NAME_LENGTH,
        help_text="For you alone, for example the strategy that uses it.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    stop_policy = forms.ChoiceField(
        label="When a stop loss cannot be placed after several tries",
        choices=stop_policies,
        initial="close",
        widget=forms.RadioSelect,
        help_text="The answer to the webhook says loudly which of the two happened.",
    )


class HookSettingsForm(HookForm):
    allowed_sources = forms.CharField(
        label="Addresses that may use it",
        required=False,
        widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false", "class": "mono"}),
        help_text="One IP address or range per line, for example 203.0.113.7 or 203.0.113.0/24. Empty allows any.",
    )

    @classmethod
    def of(cls, hook: Hook, data: Any = None) -> HookSettingsForm:
        initial = {
            "name": hook.name,
            "stop_policy": hook.stop_policy,
            "allowed_sources": "\n".join(hook.allowed_sources),
        }
        return cls(data, initial=initial)

    def sources(self) -> list[str]:
        return str(self.cleaned_data["allowed_sources"]).replace(",", " ").split()


class ApiTokenForm(forms.Form):
    name = forms.CharField(
        label="Name",
        max_length=NAME_LENGTH,
        help_text="For example the program that uses it.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
