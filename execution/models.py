"""Orders and brackets as history keeps them. The exchange and the region's claims say what was sent."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.models import Account
from execution.ids import new_public_id
from execution.terms import TAG_LENGTH

#: how the names of venues end whose quantities are contracts
MARGINED_IN_COINS = "_C"


class Action(StrEnum):
    ENTRY = "entry"
    CLOSE = "close"
    REVERSE = "reverse"
    TARGET = "target"
    CANCEL = "cancel"
    PROTECT = "protect"
    SETTING = "setting"
    GUARD = "guard"


class OrderState(StrEnum):
    """`status` of a result (http.md). WORKING and UNKNOWN are the ones reconciliation must end."""

    WORKING = "working"
    FILLED = "filled"
    PARTIALLY_FILLED = "partially_filled"
    OPEN = "open"
    CANCELLED = "cancelled"
    REJECTED = "rejected"
    NOT_SENT = "not_sent"
    EXPIRED = "expired"
    UNKNOWN = "unknown"
    SKIPPED = "skipped"
    NOTHING_TO_DO = "nothing_to_do"
    DONE = "done"
    DRY_RUN = "dry_run"


#: the states that count as success in a delivery's `status`
GOOD_STATES = frozenset(
    {
        OrderState.FILLED,
        OrderState.PARTIALLY_FILLED,
        OrderState.OPEN,
        OrderState.CANCELLED,
        OrderState.SKIPPED,
        OrderState.NOTHING_TO_DO,
        OrderState.DONE,
        OrderState.DRY_RUN,
    }
)
#: the states whose end is not known yet
OPEN_STATES = frozenset({OrderState.WORKING, OrderState.UNKNOWN})


class BracketState(StrEnum):
    """PENDING: the entry has not filled. ARMED: the legs stand. FAILED: a leg could not be placed."""

    PENDING = "pending"
    ARMED = "armed"
    FAILED = "failed"
    DONE = "done"


ACTIVE_BRACKETS = (BracketState.PENDING, BracketState.ARMED, BracketState.FAILED)


class DifferenceKind(StrEnum):
    """What a difference is put down to. MANUAL: no order of flipr did it; UNKNOWN: one of flipr's may have."""

    MANUAL = "manual"
    LIQUIDATION = "liquidation"
    UNKNOWN = "unknown"
    ORPHAN = "orphan"


def order_states() -> list[tuple[str, str]]:
    return [(state.value, state.value.replace("_", " ")) for state in OrderState]


def bracket_states() -> list[tuple[str, str]]:
    return [(state.value, state.value) for state in BracketState]


def difference_kinds() -> list[tuple[str, str]]:
    return [(kind.value, kind.value) for kind in DifferenceKind]


def actions() -> list[tuple[str, str]]:
    return [(action.value, action.value) for action in Action]


def new_bracket_id() -> str:
    return new_public_id("b")


def amount(**options: Any) -> models.DecimalField[Any, Any]:
    """A quantity or a price: every exchange's digits fit."""
    return models.DecimalField(max_digits=40, decimal_places=18, **options)


class Order(models.Model):
    """One result of a delivery: what was asked, what the exchange made of it."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="orders", db_index=False
    )
    account = models.ForeignKey(Account, on_delete=models.SET_NULL, null=True, related_name="orders")
    #: public id of the delivery; no foreign key, because deliveries live in the layer above
    delivery = models.CharField(max_length=40)
    position = models.PositiveSmallIntegerField()
    job = models.CharField(max_length=40)
    token = models.CharField(max_length=26)
    command = models.TextField()
    action = models.CharField(max_length=16, choices=actions)
    venue = models.CharField(max_length=32)
    environment = models.CharField(max_length=8)
    region = models.CharField(max_length=16)
    symbol = models.CharField(max_length=64)
    instrument = models.CharField(max_length=64, blank=True)
    side = models.CharField(max_length=8, blank=True)
    tag = models.CharField(max_length=TAG_LENGTH, blank=True)
    #: the step as `execution.wire` writes it, and the hook's policy: what reconciliation needs to finish the job
    step = models.JSONField(default=dict)
    stop_policy = models.CharField(max_length=8, default="close")
    status = models.CharField(max_length=20, choices=order_states, default=OrderState.WORKING)
    client_id = models.CharField(max_length=64, blank=True)
    exchange_id = models.CharField(max_length=80, blank=True)
    quantity = amount(null=True)
    filled = amount(null=True)
    average_price = amount(null=True)
    fee = models.JSONField(null=True)
    error = models.JSONField(null=True)
    #: what its user should know although nothing failed
    note = models.TextField(blank=True)
    would_send = models.JSONField(null=True)
    #: it stands on the exchange and may still fill
    resting = models.BooleanField(default=False)
    #: how often reconciliation has asked for it
    lookups = models.PositiveSmallIntegerField(default=0)
    bracket = models.ForeignKey(
        "execution.Bracket", on_delete=models.SET_NULL, null=True, related_name="orders", db_index=False
    )
    timing_ms = models.JSONField(default=dict)
    fresh_until = models.DateTimeField()
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["delivery", "position"]
        constraints = [models.UniqueConstraint(fields=["token"], name="order_token_once")]
        # Named, because Django's own index of a text comes with a second one for LIKE, which nobody asks: every
        # index is written with every order, twice or more.
        indexes = [
            models.Index(fields=["user", "-created_at"], name="order_user_recent"),
            models.Index(fields=["delivery"], name="order_delivery"),
            models.Index(fields=["job"], name="order_job"),
            models.Index(fields=["client_id"], name="order_client_id"),
            models.Index(fields=["bracket"], name="order_bracket", condition=Q(bracket__isnull=False)),
            # what reconciliation sweeps
            models.Index(
                fields=["region", "updated_at"],
                name="order_unsettled",
                condition=Q(status__in=["working", "unknown"]),
            ),
            models.Index(fields=["region", "updated_at"], name="order_resting", condition=Q(resting=True)),
            models.Index(fields=["account", "tag"], name="order_tag", condition=~Q(tag="")),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.symbol} on {self.venue} ({self.status})"

    @property
    def unit(self) -> str:
        """What its quantities count, where that is not coins."""
        return counted_in(self.venue)


class Brackets(models.QuerySet["Bracket"]):
    def active(self) -> Self:
        """What flipr looks after, the latest first."""
        return self.filter(status__in=ACTIVE_BRACKETS).select_related("account")


class Bracket(models.Model):
    """The stop and targets of one position: what stands on the exchange, and what is to become of it.

    `legs` and `plan` are `execution.protection` values as JSON. Every change is a compare-and-set on `version`.
    """

    public_id = models.CharField(max_length=32, unique=True, default=new_bracket_id)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="brackets")
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="brackets")
    venue = models.CharField(max_length=32)
    region = models.CharField(max_length=16)
    symbol = models.CharField(max_length=64)
    instrument = models.CharField(max_length=64)
    direction = models.CharField(max_length=8)
    hedge = models.BooleanField(default=False)
    #: token of the entry it protects; legs derive their client ids from it
    token = models.CharField(max_length=26, unique=True)
    entry_client_id = models.CharField(max_length=64, blank=True)
    entry_exchange_id = models.CharField(max_length=80, blank=True)
    entry_conditional = models.BooleanField(default=False)
    #: the limit or trigger price of an entry that rests: when the market gets there, it is looked at
    entry_level = amount(null=True)
    #: the entry may still fill (more)
    entry_open = models.BooleanField(default=False)
    entry_price = amount(null=True)
    quantity = amount(default=0)
    closed = amount(default=0)
    stop_policy = models.CharField(max_length=8, default="close")
    status = models.CharField(max_length=8, choices=bracket_states, default=BracketState.PENDING)
    plan = models.JSONField(default=dict)
    legs = models.JSONField(default=list)
    note = models.TextField(blank=True)
    #: consecutive looks at the exchange that found the position gone
    gone_seen = models.PositiveSmallIntegerField(default=0)
    #: counts the legs ever placed: each has a client id of its own
    generation = models.PositiveIntegerField(default=0)
    version = models.PositiveIntegerField(default=0)
    #: when the job that opened it was done, however late that is written down
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    objects = Brackets.as_manager()

    class Meta:
        ordering = ["-created_at"]
        indexes = [
            models.Index(fields=["user", "-created_at"], name="bracket_user_recent"),
            # what supervision sweeps
            models.Index(
                fields=["region", "account", "venue"],
                name="bracket_active",
                condition=Q(status__in=["pending", "armed", "failed"]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.public_id} {self.direction} {self.instrument} on {self.venue} ({self.status})"

    @property
    def left_shown(self) -> str:
        """How much it guards still; "" before its entry has filled."""
        return _plain(self.quantity - self.closed) if self.quantity > self.closed else ""

    @property
    def unit(self) -> str:
        return counted_in(self.venue)

    @property
    def standing(self) -> list[str]:
        """The legs that stand at the exchange, or that flipr keeps in its place."""
        held = [leg for leg in self.legs if leg.get("status") in ("open", "watched")]
        return [f"{leg['kind']} {_plain(Decimal(leg['price']))}" for leg in held]


class Transition(models.Model):
    """One change of state of an order or a bracket: who, when, why. Written by `execution.transitions` only."""

    order = models.ForeignKey(Order, on_delete=models.CASCADE, null=True, related_name="transitions")
    bracket = models.ForeignKey(Bracket, on_delete=models.CASCADE, null=True, related_name="transitions")
    before = models.CharField(max_length=20)
    after = models.CharField(max_length=20)
    #: a worker of a region, supervision, reconciliation, the web tier
    by = models.CharField(max_length=40)
    why = models.TextField(blank=True)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["at", "pk"]

    def __str__(self) -> str:
        return f"{self.before} -> {self.after} ({self.by})"

    @property
    def change(self) -> str:
        return f"{self.before} → {self.after}".replace("_", " ")


class Fill(models.Model):
    """How much of one order on futures is known to have filled, so that no fill counts twice. `name`: its client
    id, or the exchange's where it has none."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="fills")
    venue = models.CharField(max_length=32)
    name = models.CharField(max_length=80)
    instrument = models.CharField(max_length=64)
    side = models.CharField(max_length=4)
    filled = amount()
    at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["account", "venue", "name"], name="fill_once"),)

    def __str__(self) -> str:
        return f"{self.name}: {self.side} {self.filled} {self.instrument}"


class Comparison(models.Model):
    """An account at a venue whose positions are compared with what flipr believes."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="comparisons")
    venue = models.CharField(max_length=32)
    region = models.CharField(max_length=16)
    #: the last order through flipr
    traded_at = models.DateTimeField()
    due_at = models.DateTimeField()
    #: the last time everything was compared; before the first there is nothing to differ from
    compared_at = models.DateTimeField(null=True)
    #: of the key that it was compared with: another key may open another account of the exchange
    key_fingerprint = models.CharField(max_length=32, blank=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["account", "venue"], name="comparison_once"),)
        # whose turn it is
        indexes = (models.Index(fields=["region", "due_at"], name="comparison_due"),)

    def __str__(self) -> str:
        return f"{self.account_id} on {self.venue}"


class Holding(models.Model):
    """The position that flipr believes an account to have: what was found last, and every fill of its own since.

    Signed, long above zero; of an account in hedge mode it is long less short. A difference that one look found
    is a doubt, until another confirms it."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="holdings")
    venue = models.CharField(max_length=32)
    instrument = models.CharField(max_length=64)
    believed = amount(default=0)
    #: the last fill of flipr's that is in it
    moved_at = models.DateTimeField(null=True)
    #: where the exchange would liquidate it, as it told last
    liquidation_price = amount(null=True)
    #: what a look found instead, and when it was found first
    doubted = amount(null=True)
    doubted_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["account", "venue", "instrument"], name="holding_once"),
        )

    def __str__(self) -> str:
        return f"{self.believed} {self.instrument} on {self.venue}"


class Difference(models.Model):
    """Where an exchange and flipr did not agree, and what was done: flipr followed, or cancelled an orphan."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="differences")
    account = models.ForeignKey(Account, on_delete=models.SET_NULL, null=True, related_name="differences")
    venue = models.CharField(max_length=32)
    instrument = models.CharField(max_length=64)
    kind = models.CharField(max_length=16, choices=difference_kinds)
    #: signed, long above zero; of an orphan, how much it would have closed and how much was to stand
    believed = amount()
    found = amount()
    why = models.TextField()
    #: the last order of flipr on this instrument, and the bracket that follows
    order = models.ForeignKey(Order, on_delete=models.SET_NULL, null=True, related_name="differences")
    bracket = models.ForeignKey(Bracket, on_delete=models.SET_NULL, null=True, related_name="differences")
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("-at", "-pk")
        indexes = (models.Index(fields=["user", "-at"], name="difference_user_recent"),)

    def __str__(self) -> str:
        return (
            f"{self.instrument} on {self.venue}: {self.believed} believed, {self.found} found ({self.kind})"
        )

    @property
    def believed_shown(self) -> str:
        return _plain(self.believed)

    @property
    def found_shown(self) -> str:
        return _plain(self.found)

    @property
    def unit(self) -> str:
        return counted_in(self.venue)


class Alarms(models.QuerySet["Alarm"]):
    def open(self) -> Self:
        """What its user was told of and is not over, the latest first."""
        return self.filter(told_at__isnull=False, over_at=None).select_related(*Alarm.SHOWN_WITH)


class Alarm(models.Model):
    """Something that a person has to look at: a bracket without its stop, or an order without an end. One row for each,
    kept when it is over, so that it is not told over and over (`execution.alarms`)."""

    SHOWN_WITH = ("user", "bracket__account__user", "order")

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="alarms")
    bracket = models.OneToOneField(Bracket, on_delete=models.CASCADE, null=True, related_name="alarm")
    order = models.OneToOneField(Order, on_delete=models.CASCADE, null=True, related_name="alarm")
    why = models.TextField()
    since = models.DateTimeField(default=timezone.now)
    told_at = models.DateTimeField(null=True)
    over_at = models.DateTimeField(null=True)

    objects = Alarms.as_manager()

    class Meta:
        ordering = ("-since",)
        constraints = (
            models.CheckConstraint(
                condition=Q(bracket__isnull=False) ^ Q(order__isnull=False), name="alarm_about_one"
            ),
        )

    def __str__(self) -> str:
        return f"{self.subject}: {self.why}"

    @property
    def _about(self) -> Bracket | Order:
        found = self.bracket or self.order
        assert found is not None  # a constraint
        return found

    @property
    def subject(self) -> str:
        return f"{self._about.symbol} on {self._about.venue}"

    @property
    def token(self) -> str:
        """Of the order whose page tells more."""
        return self._about.token


def counted_in(venue: str) -> str:
    """Contracts, where they are margined in coins; "" for coins."""
    return "contracts" if venue.endswith(MARGINED_IN_COINS) else ""


def _plain(value: Decimal) -> str:
    """Without the zeros that the column pads it with."""
    return f"{value.normalize():f}" if value else "0"
