"""Who uses flipr (User), with which exchange keys (Account), through which URLs (Hook) and programs (ApiToken).

Every look-up starts from the user: `Account.objects.of(user)`. The verbs are in `accounts/flows.py`.
"""

from __future__ import annotations

import ipaddress
import secrets
import string
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.core.validators import RegexValidator
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone

from accounts.families import families
from exchanges.types import Environment, KeyInfo

if TYPE_CHECKING:  # Django's own fields take no type arguments when they run
    TextEmailField = models.EmailField[str, str]
else:
    TextEmailField = models.EmailField

Row_co = TypeVar("Row_co", bound=models.Model, covariant=True)

PUBLIC_ID_LENGTH = 12
NAME_LENGTH = 64
_ALPHABET = string.digits + string.ascii_letters

#: what can stand after `using` in a message without quotes
NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,31}\Z"
valid_name = RegexValidator(
    NAME_PATTERN,
    "Use letters, digits, dot, dash or underscore (32 at most), starting with a letter or digit.",
)


def new_public_id() -> str:
    """71 bits in 12 characters: names a row outside, and cannot be guessed from another."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(PUBLIC_ID_LENGTH))


class AccountStatus(models.TextChoices):
    UNVERIFIED = "unverified", "Being checked"
    VERIFIED = "verified", "Verified"
    REJECTED = "rejected", "Rejected"
    PAUSED = "paused", "Paused"


class OppositeSignal(models.TextChoices):
    """A plain buy or sell against an open futures position."""

    NET = "net", "Net, like the exchange does"
    REJECT = "reject", "Refuse it"
    REDUCE = "reduce", "Only reduce the position"
    REVERSE = "reverse", "Close and open the other side"


class StopPolicy(models.TextChoices):
    """What happens to a fresh position when its stop cannot be placed."""

    CLOSE = "close", "Close the position at market"
    KEEP = "keep", "Keep the position and tell me"


# Callables, so that a new word in a list needs no migration.
def environments() -> list[tuple[str, str]]:
    return [(Environment.LIVE, "Live"), (Environment.TESTNET, "Test net"), (Environment.SANDBOX, "Sandbox")]


def account_statuses() -> list[tuple[str, str]]:
    return list(AccountStatus.choices)


def opposite_signals() -> list[tuple[str, str]]:
    return list(OppositeSignal.choices)


def stop_policies() -> list[tuple[str, str]]:
    return list(StopPolicy.choices)


class LowerEmailField(TextEmailField):
    """Compared and kept in lower case, so that one unique index is enough."""

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        return text.lower() if isinstance(text, str) else text

    def get_prep_value(self, value: Any) -> Any:
        return self.to_python(super().get_prep_value(value))


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        if not email:
            raise ValueError("a user needs an e-mail address")
        user = self.model(email=email.lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> User:
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)


class User(AbstractBaseUser, PermissionsMixin):
    """A tenant. Logs in with an e-mail address; `public_id` is the name in hook URLs."""

    email = LowerEmailField("e-mail", unique=True)
    public_id = models.CharField(max_length=32, unique=True, default=new_public_id, editable=False)
    plan = models.CharField(max_length=32, default="free")
    is_active = models.BooleanField("active", default=True)
    is_staff = models.BooleanField("staff", default=False)
    is_paused = models.BooleanField("paused", default=False, help_text="Nothing is traded for this user.")
    pause_reason = models.CharField(max_length=200, blank=True, help_text="Shown to the user.")
    created = models.DateTimeField(default=timezone.now, editable=False)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    def __str__(self) -> str:
        return str(self.email)


class Owned(models.QuerySet[Row_co]):
    """Rows that belong to a user: the only way pages and the API reach them."""

    def of(self, user: User) -> Self:
        return self.filter(user=user)


class Account(models.Model):
    """A user's API key on one exchange. `exchange` is the key family (`Venue.key_family`): one key may open
    several venues. `sealed` opens in a region worker only (`accounts.vault`)."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="accounts")
    public_id = models.CharField(max_length=32, unique=True, default=new_public_id, editable=False)
    exchange = models.CharField(max_length=32)
    label = models.CharField(max_length=32, validators=[valid_name])
    environment = models.CharField(max_length=16, choices=environments, default=Environment.LIVE.value)
    sealed = models.TextField(editable=False)
    key_fingerprint = models.CharField(max_length=32, editable=False)
    status = models.CharField(max_length=16, choices=account_statuses, default=AccountStatus.UNVERIFIED)
    status_reason = models.CharField(max_length=300, blank=True)
    checked_at = models.DateTimeField(null=True, blank=True, editable=False)
    key_facts = models.JSONField(default=dict, blank=True, editable=False)
    opposite_signal = models.CharField(max_length=16, choices=opposite_signals, default=OppositeSignal.NET)
    withdrawal_accepted = models.BooleanField(
        default=False, help_text="Its owner insists on a key that may withdraw."
    )
    is_default = models.BooleanField(
        default=False, help_text="Used when a message names no account (one per exchange and environment)."
    )
    created = models.DateTimeField(default=timezone.now, editable=False)
    updated = models.DateTimeField(auto_now=True)

    objects = Owned.as_manager()

    class Meta:
        ordering = ("exchange", "created")
        constraints = (
            models.UniqueConstraint("user", "exchange", Lower("label"), name="account_label_once"),
            models.UniqueConstraint(
                fields=("user", "exchange", "environment"),
                condition=models.Q(is_default=True),
                name="account_one_default",
            ),
        )

    def __str__(self) -> str:
        return f"{self.exchange} {self.label}"

    @property
    def title(self) -> str:
        """The exchange as people write it."""
        known = families().get(self.exchange)
        return known.title if known else self.exchange

    @property
    def generic(self) -> bool:
        """Opened through ccxt."""
        known = families().get(self.exchange)
        return known is not None and not known.native

    @property
    def usable(self) -> bool:
        """May trade. An unchecked key may: the exchange itself refuses a bad one before anything stands."""
        return self.status in {AccountStatus.VERIFIED, AccountStatus.UNVERIFIED}

    @property
    def facts(self) -> KeyInfo:
        """What the last check found, as the exchange told it."""
        stored = self.key_facts
        expires = stored.get("expires")
        return KeyInfo(
            can_trade=stored.get("can_trade"),
            can_withdraw=stored.get("can_withdraw"),
            ip_locked=stored.get("ip_locked"),
            expires=datetime.fromisoformat(expires) if expires else None,
            note=stored.get("note", ""),
        )

    @property
    def position_mode(self) -> str:
        """`one_way`, `hedge`, or empty when unknown or on spot."""
        return str(self.key_facts.get("position_mode") or "")


class AccountEvent(models.Model):
    """What happened to an account's key, and what its owner decided. It outlives the account: `subject` names it."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="account_events")
    account = models.ForeignKey(Account, on_delete=models.SET_NULL, null=True, related_name="events")
    subject = models.CharField(max_length=120)
    text = models.CharField(max_length=300)
    at = models.DateTimeField(default=timezone.now, editable=False)

    objects = Owned.as_manager()

    class Meta:
        ordering = ("-at", "-pk")

    def __str__(self) -> str:
        return f"{self.subject}: {self.text}"


class Hook(models.Model):
    """One webhook URL. The token is kept as a keyed digest for look-up and sealed for showing it again; after a
    rotation the previous token works until `previous_until`."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="hooks")
    public_id = models.CharField(max_length=32, unique=True, default=new_public_id, editable=False)
    name = models.CharField(max_length=NAME_LENGTH)
    token_digest = models.CharField(max_length=64, unique=True, editable=False)
    token_sealed = models.TextField(editable=False)
    previous_digest = models.CharField(max_length=64, unique=True, null=True, editable=False)  # noqa: DJ001 (unique)
    previous_until = models.DateTimeField(null=True, blank=True, editable=False)
    enabled = models.BooleanField(default=True)
    stop_policy = models.CharField(max_length=16, choices=stop_policies, default=StopPolicy.CLOSE)
    allowed_sources = models.JSONField(default=list, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    created = models.DateTimeField(default=timezone.now, editable=False)

    objects = Owned.as_manager()

    class Meta:
        ordering = ("created",)
        constraints = (models.UniqueConstraint("user", Lower("name"), name="hook_name_once"),)

    def __str__(self) -> str:
        return self.name

    def allows(self, address: str) -> bool:
        """Whether a request may come from this address; an empty list allows any."""
        if not self.allowed_sources:
            return True
        try:
            source = ipaddress.ip_address(address)
        except ValueError:
            return False
        source = getattr(source, "ipv4_mapped", None) or source  # a dual-stack socket dresses IPv4 up
        return any(source in ipaddress.ip_network(entry) for entry in self.allowed_sources)

    @property
    def closed_because(self) -> str:
        """Why nothing may be traded through this hook now, or empty."""
        if self.user.is_paused or not self.user.is_active:
            return self.user.pause_reason or "trading is paused for this user"
        return "" if self.enabled else "this hook is switched off"


class ApiToken(models.Model):
    """A program's access to the REST API. Shown once; kept as a keyed digest only."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_tokens")
    public_id = models.CharField(max_length=32, unique=True, default=new_public_id, editable=False)
    name = models.CharField(max_length=NAME_LENGTH)
    token_digest = models.CharField(max_length=64, unique=True, editable=False)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    created = models.DateTimeField(default=timezone.now, editable=False)

    objects = Owned.as_manager()

    class Meta:
        ordering = ("created",)
        constraints = (models.UniqueConstraint("user", Lower("name"), name="api_token_name_once"),)

    def __str__(self) -> str:
        return self.name
