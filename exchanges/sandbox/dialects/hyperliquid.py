"""Hyperliquid as its clients see it: /info is asked by address without a signature, /exchange takes signed actions, and
refusals are sentences inside a success. Documented at hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api.

Both nets' signatures are taken, because clients decide by the address they were given which one they speak to. The book
moves in the steps a price has at the start; what lies between two of them waits for the next."""

from __future__ import annotations

import secrets
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, InvalidOperation
from typing import Any

import msgpack  # type: ignore[import-untyped]
from coincurve import PrivateKey, PublicKey
from Crypto.Hash import keccak

from exchanges.sandbox.admission import check_amended
from exchanges.sandbox.dialect import Dialect, Route, route
from exchanges.sandbox.dialects.hyperliquid_answers import (
    context,
    fill_row,
    inner_status,
    order_row,
    perpetual_row,
    position_row,
    spot_lists,
)
from exchanges.sandbox.engine import Desk
from exchanges.sandbox.ledger import Account
from exchanges.sandbox.meter import Exceeded, Limit, Owner
from exchanges.sandbox.model import (
    ZERO,
    ClientIds,
    Market,
    Order,
    Reason,
    Rejected,
    Rules,
    Ticket,
    text,
)
from exchanges.sandbox.wire import Answered, Call, Reply
from exchanges.types import MarginMode, OrderStatus, OrderType, Product, Side, TimeInForce, TriggerBy

D = Decimal
DAY_MS = 86_400_000
TIMES = {"Gtc": TimeInForce.GTC, "Ioc": TimeInForce.IOC, "Alo": TimeInForce.GTC}
#: of the requests that an address has
LEFT = {"nRequestsCap": 10_000, "nRequestsSurplus": 0}
#: of what is not simulated there is none
EMPTY = ("userFunding", "userNonFundingLedgerUpdates", "userTwapSliceFills", "userVaultEquities")
LIGHT = ("l2Book", "allMids", "clearinghouseState", "orderStatus", "spotClearinghouseState", "exchangeStatus")
FILLS_PAGE = 2000
SENTENCES = {
    Reason.BAD_NONCE: "Invalid nonce: {}",
    Reason.NO_PERMISSION: "User or API Wallet {} does not exist.",
    Reason.PRICE_TICK: "Price must be divisible by tick size.",
    Reason.TRIGGER_TICK: "Price must be divisible by tick size.",
    Reason.QUANTITY_STEP: "Order has invalid size.",
    Reason.MIN_QUANTITY: "Order has zero size.",
    Reason.MAX_QUANTITY: "Order has invalid size.",
    Reason.MIN_NOTIONAL: "Order must have minimum value of $10.",
    Reason.DUPLICATE: "Duplicate cloid",
    Reason.INSUFFICIENT: "Insufficient margin to place order.",
    Reason.REDUCE_ONLY: "Reduce only order would increase position.",
    Reason.WOULD_TRIGGER: "Invalid TP/SL price.",
    Reason.POST_ONLY: "Post only order would have immediately matched, bbo was {}.",
    Reason.NOT_FILLABLE: "Order could not immediately match against any resting orders.",
    Reason.STOP_REFUSED: "Cannot have more than 1000 open orders.",
    Reason.TOO_MANY_ORDERS: "Cannot have more than 1000 open orders.",
    Reason.NOT_OPEN: "Order was never placed, already canceled, or filled.",
    Reason.UNKNOWN_SYMBOL: "Invalid asset {}",
    Reason.LEVERAGE: "Invalid leverage value",
    Reason.HAS_POSITION: "Cannot switch leverage type with open position.",
}
#: base, decimals of a quantity, greatest leverage, steps at the start of the perpetual and of the pair
COINS = (
    ("BTC", 5, 40, "1", "1"),
    ("ETH", 4, 25, "0.1", "0.1"),
    ("SOL", 2, 20, "0.01", "0.01"),
    ("XRP", 0, 20, "0.00001", "0.00001"),
    ("DOGE", 0, 10, "0.00001", "0.00001"),
    ("LTC", 2, 10, "0.001", "0.001"),
)


def _market(
    base: str, quote: str, symbol: str, product: Product, digits: int, tick: str, asset: int, **more: Any
) -> Market:
    finest = D(1).scaleb(digits - (8 if product is Product.SPOT else 6))
    step, extra = D(1).scaleb(-digits), {"asset": asset, "digits": digits, "finest": finest}
    return Market(
        symbol,
        base,
        quote,
        product,
        D(tick),
        step,
        min_quantity=step,
        min_notional=D(10),
        extra=extra,
        **more,
    )


PERPETUALS = tuple(
    _market(base, "USDC", base, Product.LINEAR, digits, tick, place, max_leverage=D(most))
    for place, (base, digits, most, tick, _) in enumerate(COINS)
)
#: against USDC, then bitcoin against USDT0
SPOT = (
    *(
        _market(base, "USDC", f"@{142 + place}", Product.SPOT, digits, tick, 10_142 + place)
        for place, (base, digits, _, _, tick) in enumerate(COINS)
    ),
    _market("BTC", "USDT", "@200", Product.SPOT, 5, "1", 10_200),
)


class _Hyperliquid(Dialect):
    family = "hyperliquid"
    limits = (Limit("weight", "weight", 1200, 60, Owner.ADDRESS),)

    def __init__(self, desks: Mapping[Product, Desk], accounts: Mapping[str, Account]) -> None:
        super().__init__(desks, accounts)
        self._agents: dict[str, Account] = {}
        self._nonces: dict[str, deque[int]] = {}

    # -- the caller --------------------------------------------------------------------------------------

    def credentials(self) -> tuple[str, str, str]:
        """An account's address, and the private key of its API wallet."""
        return "0x" + secrets.token_hex(20), "0x" + secrets.token_hex(32), ""

    def key_of(self, call: Call) -> str:
        try:
            if call.path == "/info":
                return call.text("user", "").lower()
            return next((found.key for _, found in self._signers(call)), "")
        except Rejected:
            return ""

    def authenticate(self, call: Call) -> Account:
        if (found := next(self._signers(call), None)) is None:
            raise Rejected(Reason.NO_PERMISSION, "0x0000000000000000000000000000000000000000")
        agent, account = found
        self._use_nonce(agent, call.integer("nonce"), call.now_ms)
        if "trade" not in account.permissions:
            raise Rejected(Reason.NO_PERMISSION, agent)
        return account

    def _signers(self, call: Call) -> Iterator[tuple[str, Account]]:
        """The API wallet that signed, with its account; on whichever net."""
        for source in ("a", "b"):
            agent = signer(call.params, source)
            if (account := self._owner(agent)) is not None:
                yield agent, account

    def _owner(self, agent: str) -> Account | None:
        if agent not in self._agents:
            self._agents.update(
                {
                    address_of(each.secret): each
                    for each in self._accounts.values()
                    if each.secret.startswith("0x")
                }
            )
        return self._agents.get(agent)

    def _use_nonce(self, agent: str, nonce: int, now_ms: int) -> None:
        """The hundred highest of a signer are remembered; one below them all, or one of them, is not taken."""
        known = self._nonces.setdefault(agent, deque(maxlen=100))
        if not now_ms - 2 * DAY_MS < nonce < now_ms + DAY_MS:
            raise Rejected(Reason.BAD_NONCE, f"{nonce} is too far from {now_ms}")
        if nonce in known or (len(known) == known.maxlen and nonce < known[0]):
            raise Rejected(Reason.BAD_NONCE, f"duplicate nonce {nonce}")
        kept = sorted([*known, nonce])[-100:]
        known.clear()
        known.extend(kept)

    def refuse(self, reason: Reason, detail: str, call: Call) -> Reply:
        if reason in (Reason.INTERNAL, Reason.MAINTENANCE, Reason.UNKNOWN_PATH):
            status = {Reason.INTERNAL: 500, Reason.MAINTENANCE: 502}.get(reason, 404)
            return Reply(b"null", status)
        if reason in (Reason.BAD_PARAMETER, Reason.MISSING_PARAMETER):
            return Reply(b"Failed to deserialize the JSON body into the target type", 422)
        return Reply({"status": "err", "response": sentence(reason, detail)})

    def throttled(self, exceeded: Exceeded, call: Call) -> Reply:
        return Reply(b"null", 429)

    def costs(self, route: Route, call: Call) -> Mapping[str, int]:
        if route.path == "/exchange":
            action = call.params.get("action")
            batch = action.get("orders") or action.get("cancels") if isinstance(action, Mapping) else None
            return {"weight": 1 + (len(batch) if isinstance(batch, list) else 0) // 40}
        kind = call.params.get("type")
        return {"weight": 2 if kind in LIGHT else 60 if kind == "userRole" else 20}

    # -- asking ------------------------------------------------------------------------------------------

    @route("POST /info", public=True)
    def info(self, call: Call) -> Any:
        asked: dict[str, Callable[[], Any]] = {
            "exchangeStatus": lambda: {"specialStatuses": None, "time": call.now_ms},
            "meta": self._meta,
            "metaAndAssetCtxs": lambda: [self._meta(), [context(self._perps, each) for each in PERPETUALS]],
            "spotMeta": lambda: spot_lists(SPOT),
            "spotMetaAndAssetCtxs": lambda: [spot_lists(SPOT), [context(self._cash, each) for each in SPOT]],
            "perpDexs": lambda: [None],
            "allMids": self._mids,
            "l2Book": lambda: self._book(call),
        }
        if (public := asked.get(call.text("type"))) is not None:
            return public()
        return self._told_of(call, call.text("type"), call.text("user").lower())

    def _told_of(self, call: Call, kind: str, user: str) -> Any:
        """What is asked about an address; one that nobody knows has nothing."""
        account = self.account(user) or Account(user, "", wallets={"perps": {}, "cash": {}})
        asked: dict[str, Callable[[], Any]] = {
            "userRole": lambda: self._role(user),
            "extraAgents": lambda: self._agents_of(account, call),
            "userAbstraction": lambda: "default",
            "clearinghouseState": lambda: self._state(account, call),
            "spotClearinghouseState": lambda: self._cash_state(account),
            "frontendOpenOrders": lambda: [order_row(order) for order in self._open(account)],
            "openOrders": lambda: [order_row(order) for order in self._open(account)],
            "historicalOrders": lambda: [inner_status(order) for order in self._all(account)],
            "orderStatus": lambda: self._status(account, call),
            "userFills": lambda: self._fills(account, 0, call.now_ms)[::-1],
            "userFillsByTime": lambda: self._fills(
                account, call.integer("startTime"), call.integer("endTime", call.now_ms)
            ),
            "activeAssetData": lambda: self._active(account, call),
            "userFees": self._fees,
            "userRateLimit": lambda: {"cumVlm": "0.0", "nRequestsUsed": 0} | LEFT,
            "subAccounts": lambda: None,
            "maxBuilderFee": lambda: 0,
            **dict.fromkeys(EMPTY, list),
        }
        if kind not in asked:
            raise Rejected(Reason.BAD_PARAMETER, "type")
        return asked[kind]()

    def _fees(self) -> Any:
        (perps, cash) = (self._perps.rules, self._cash.rules)
        rates = {"cross": text(perps.taker_fee), "add": text(perps.maker_fee)}
        rates |= {"spotCross": text(cash.taker_fee), "spotAdd": text(cash.maker_fee)}
        own = {f"user{name[0].upper()}{name[1:]}Rate": rate for name, rate in rates.items()}
        schedule: dict[str, Any] = {**rates, "tiers": {"vip": [], "mm": []}, "referralDiscount": "0.04"}
        schedule["stakingDiscountTiers"] = []
        told: dict[str, Any] = {
            "dailyUserVlm": [],
            "feeSchedule": schedule,
            **own,
            "activeReferralDiscount": "0.0",
        }
        told |= {"trial": None, "feeTrialEscrow": "0.0", "nextTrialAvailableTimestamp": None}
        return told | {
            "stakingLink": None,
            "activeStakingDiscount": {"bpsOfMaxSupply": "0.0", "discount": "0.0"},
        }

    @property
    def _perps(self) -> Desk:
        return self.desks[Product.LINEAR]

    @property
    def _cash(self) -> Desk:
        return self.desks[Product.SPOT]

    def _meta(self) -> Any:
        return {
            "universe": [perpetual_row(each) for each in PERPETUALS],
            "marginTables": [],
            "collateralToken": 0,
        }

    def _mids(self) -> Any:
        markets = [(desk, each) for desk in self.desks.values() for each in desk.markets.values()]
        return {each.symbol: text((desk.bid(each) + desk.ask(each)) / 2) for desk, each in markets}

    def _book(self, call: Call) -> Any:
        coin = call.text("coin")
        desk = next((each for each in self.desks.values() if coin in each.markets), None)
        if desk is None:
            raise Answered(Reply(b"null", 500))
        market = desk.market(coin)
        levels = [
            [{"px": text(price), "sz": "1000", "n": 1}] for price in (desk.bid(market), desk.ask(market))
        ]
        return {"coin": coin, "time": call.now_ms, "levels": levels}

    def _role(self, user: str) -> Any:
        if self.account(user) is not None:
            return {"role": "user"}
        owner = self._owner(user)
        return {"role": "agent", "data": {"user": owner.key}} if owner else {"role": "missing"}

    def _agents_of(self, account: Account, call: Call) -> Any:
        if not account.secret:
            return []
        ends = call.now_ms + 180 * DAY_MS
        return [{"name": "sandbox", "address": address_of(account.secret), "validUntil": ends}]

    def _state(self, account: Account, call: Call) -> Any:
        wallet = self._perps.wallet
        equity = account.total(wallet, "USDC") + account.unrealised(wallet, "USDC")
        free, positions = account.free(wallet, "USDC"), self._perps.book(account).open_positions()
        notional = sum((each.notional(self._perps.bid(each.market)) for each in positions), ZERO)
        summary = {
            "accountValue": text(equity),
            "totalNtlPos": text(notional),
            "totalRawUsd": text(account.total(wallet, "USDC")),
            "totalMarginUsed": text(equity - free),
        }
        return {
            "marginSummary": summary,
            "crossMarginSummary": summary,
            "crossMaintenanceMarginUsed": "0.0",
            "withdrawable": text(max(free, ZERO)),
            "assetPositions": [position_row(self._perps, account, each) for each in positions],
            "time": call.now_ms,
        }

    def _cash_state(self, account: Account) -> Any:
        wallet, tokens = self._cash.wallet, spot_lists(SPOT)["tokens"]
        held = account.wallets[wallet]
        rows = [
            {
                "coin": each["name"],
                "token": each["index"],
                "hold": text(account.locked(wallet, each["asset"])),
                "total": text(held[each["asset"]]),
                "entryNtl": "0.0",
            }
            for each in (token | {"asset": token["fullName"]} for token in tokens)
            if held.get(each["asset"])
        ]
        return {"balances": rows}

    def _all(self, account: Account) -> list[Order]:
        return [order for desk in self.desks.values() for order in desk.book(account).orders.values()]

    def _open(self, account: Account) -> list[Order]:
        return [order for order in self._all(account) if order.open]

    def _status(self, account: Account, call: Call) -> Any:
        name = call.text("oid")
        which = {"client_id": name} if name.startswith("0x") else {"order_id": name}
        found = [order for desk in self.desks.values() if (order := desk.order(account, **which))]
        return {"status": "order", "order": inner_status(found[0])} if found else {"status": "unknownOid"}

    def _fills(self, account: Account, since: int, until: int) -> list[Any]:
        books = [desk.book(account) for desk in self.desks.values()]
        found = [(fill, book.orders[fill.order_id]) for book in books for fill in book.fills]
        found = sorted(
            (each for each in found if since <= each[0].time_ms <= until), key=lambda each: each[0].id
        )
        return [fill_row(*each) for each in found[:FILLS_PAGE]]

    def _active(self, account: Account, call: Call) -> Any:
        market, desk = self._perps.market(call.text("coin")), self._perps
        told = {"type": str(desk.margin_mode(account, market)), "value": int(desk.leverage(account, market))}
        free, mark = max(account.free(desk.wallet, "USDC"), ZERO), desk.bid(market)
        size = free * desk.leverage(account, market) / mark // market.step * market.step
        return {
            "user": account.key,
            "coin": market.symbol,
            "leverage": told,
            "maxTradeSzs": [text(size)] * 2,
            "availableToTrade": [text(free)] * 2,
            "markPx": text(desk.bid(market)),
        }

    # -- acting ------------------------------------------------------------------------------------------

    @route("POST /exchange", trading=True)
    def exchange(self, call: Call) -> Any:
        action = call.params.get("action")
        actions: dict[Any, Callable[[Call, Any], Any]] = {
            "order": self._order,
            "cancel": self._cancel,
            "cancelByCloid": self._cancel,
            "updateLeverage": self._update_leverage,
            "modify": self._modify,
            "batchModify": self._modify_several,
            "scheduleCancel": self._schedule_cancel,
            "noop": lambda _call, _action: {"type": "default"},
        }
        kind = action.get("type") if isinstance(action, Mapping) else None
        if kind not in actions or call.params.get("vaultAddress"):
            raise Rejected(Reason.BAD_PARAMETER, "action")
        try:
            return {"status": "ok", "response": actions[kind](call, action)}
        except (KeyError, TypeError, ValueError, InvalidOperation):
            raise Rejected(Reason.BAD_PARAMETER, "action") from None

    def _order(self, call: Call, action: Any) -> Any:
        grouping = action["grouping"]
        if not action["orders"]:  # told once for the whole action, like all that is seen before it
            return {"type": "order", "data": {"statuses": [{"error": "Empty batch of orders"}]}}
        if grouping == "na":
            told = [self._placed(call.account, wire) for wire in action["orders"]]
        else:
            told = self._grouped(call, action["orders"], entry=grouping == "normalTpsl")
        return {"type": "order", "data": {"statuses": told}}

    def _placed(self, account: Account, wire: Any) -> Any:
        desk, market = self._of(int(wire["a"]))
        try:
            order = desk.place(account, self._ticket(market, wire))
        except Rejected as refused:
            return {"error": f"{said(refused, desk, market)} asset={wire['a']}"}
        return told_of(order, market)

    def _grouped(self, call: Call, wires: list[Any], *, entry: bool) -> list[Any]:
        """Stop and target end each other; they are placed with a position, or by the first fill of an entry."""
        desk, market = self._of(int(wires[0]["a"]))
        link = f"{call.account.key} {call.params['nonce']}"
        children = wires[1:] if entry else wires
        try:
            legs = [replace(self._ticket(market, each), link=link, position_bound=True) for each in children]
            if not all(leg.type.conditional and leg.reduce_only for leg in legs):
                raise Rejected(Reason.BAD_PARAMETER, "grouping")
            if not entry and not desk.book(call.account).position(market, None).quantity:
                raise Rejected(Reason.REDUCE_ONLY)
            if not entry:
                desk.place_linked(call.account, legs)
                return ["waitingForTrigger"] * len(legs)
            order = desk.place(call.account, replace(self._ticket(market, wires[0]), attached=tuple(legs)))
        except Rejected as refused:
            return [{"error": f"{said(refused, desk, market)} asset={each['a']}"} for each in wires]
        waits = "waitingForTrigger" if order.filled else "waitingForFill"
        return [told_of(order, market), *(waits for _ in legs)]

    def _of(self, asset: int) -> tuple[Desk, Market]:
        for desk in self.desks.values():
            for market in desk.markets.values():
                if market.extra["asset"] == asset:
                    return desk, market
        raise Rejected(Reason.UNKNOWN_SYMBOL, str(asset))

    @staticmethod
    def _ticket(market: Market, wire: Any) -> Ticket:
        side, kind, trigger = Side.BUY if wire["b"] else Side.SELL, OrderType.LIMIT, wire["t"].get("trigger")
        prices = {"limitPx": D(wire["p"])} | ({"triggerPx": D(trigger["triggerPx"])} if trigger else {})
        for price in prices.values():
            check_digits(price, market)
        limit = wire["t"].get("limit", {"tif": None})
        if trigger:
            kind = TRIGGERED[trigger["tpsl"], bool(trigger["isMarket"])]
        rises = trigger and (trigger["tpsl"] == "sl") == (side is Side.BUY)
        size, tif = D(wire["s"]), limit["tif"]
        return Ticket(
            market.symbol,
            side,
            kind,
            quantity=size or None,
            close_position=not size,
            price=None
            if trigger and trigger["isMarket"]
            else on_grid(prices["limitPx"], market, up=side is Side.SELL),
            trigger_price=on_grid(prices["triggerPx"], market, up=bool(rises)) if trigger else None,
            trigger_by=TriggerBy.MARK,
            time_in_force=TIMES[tif] if tif else TimeInForce.GTC,
            post_only=tif == "Alo",
            reduce_only=bool(wire["r"]) and market.product is not Product.SPOT,
            client_id=wire.get("c") or "",
            extra={"tif": tif, **prices},
        )

    def _modify(self, call: Call, action: Any) -> Any:
        """As several, of which the one refusal is that of the whole."""
        (told,) = self._modify_several(call, {"modifies": [action]})["data"]["statuses"]
        if "error" in told:
            raise Answered(Reply({"status": "err", "response": told["error"]}))
        return {"type": "default"}

    def _modify_several(self, call: Call, action: Any) -> Any:
        """The order ends and another takes its place, under a number of its own."""
        told = [self._modified(call.account, each["oid"], each["order"]) for each in action["modifies"]]
        return {"type": "order", "data": {"statuses": told}}

    def _modified(self, account: Account, name: Any, wire: Any) -> Any:
        desk, market = self._of(int(wire["a"]))
        which = {"client_id": name} if str(name).startswith("0x") else {"order_id": str(name)}
        order = desk.order(account, **which)
        if order is None or not order.open or order.market is not market:
            return {"error": "Cannot modify canceled or filled order"}
        try:
            ticket = replace(self._ticket(market, wire), link=order.ticket.link)
            changed = replace(order, ticket=ticket, quantity=ticket.quantity or order.quantity)
            changed = replace(changed, price=ticket.price, trigger_price=ticket.trigger_price)
            check_amended(desk, account, changed, order)
        except Rejected as refused:
            return {"error": f"{said(refused, desk, market)} asset={wire['a']}"}
        order.ticket = replace(order.ticket, link="")  # its sibling stands by the new one
        desk.cancel(account, order)
        return told_of(
            desk.place(account, replace(ticket, position_bound=order.ticket.position_bound)), market
        )

    def _schedule_cancel(self, call: Call, _action: Any) -> Any:
        """Given to traders of a million dollars; here to nobody."""
        words = "Cannot set scheduled cancel time until enough volume traded. Required: $1000000. Traded: $0."
        raise Answered(Reply({"status": "err", "response": words}))

    def _cancel(self, call: Call, action: Any) -> Any:
        told: list[Any] = []
        for each in action["cancels"]:
            asset = each["a" if "a" in each else "asset"]
            desk, _ = self._of(int(asset))
            which = {"order_id": str(each["o"])} if "o" in each else {"client_id": each["cloid"]}
            if (order := desk.order(call.account, **which)) is not None and order.open:
                order.ticket = replace(order.ticket, link="")  # only a fill ends its sibling
            try:
                desk.cancel(call.account, order)
                told.append("success")
            except Rejected as refused:
                told.append({"error": f"{sentence(refused.reason, '')} asset={asset}"})
        return {"type": "cancel", "data": {"statuses": told}}

    def _update_leverage(self, call: Call, action: Any) -> Any:
        desk, market = self._of(int(action["asset"]))
        mode = MarginMode.CROSS if action["isCross"] else MarginMode.ISOLATED
        book = desk.book(call.account)
        if desk is not self._perps:
            raise Rejected(Reason.UNKNOWN_SYMBOL, str(action["asset"]))
        if mode is not desk.margin_mode(call.account, market) and any(
            each.market is market for each in book.open_positions()
        ):
            raise Rejected(Reason.HAS_POSITION)
        desk.set_leverage(call.account, market.symbol, D(action["leverage"]))
        book.margin_modes[market.symbol] = mode
        return {"type": "default"}


RULES = Rules(
    client_ids=ClientIds.OPEN,
    unfilled=OrderStatus.CANCELLED,
    conditional_holds=False,
    order_id=lambda number: str(77_000_000_000 + number),
    max_open_orders=1000,
    max_waiting_orders=1000,
)
TRIGGERED = {
    ("sl", True): OrderType.STOP,
    ("sl", False): OrderType.STOP_LIMIT,
    ("tp", True): OrderType.TAKE_PROFIT,
    ("tp", False): OrderType.TAKE_PROFIT_LIMIT,
}


class HyperliquidSpot(_Hyperliquid):
    name, product, markets = "Hyperliquid", Product.SPOT, SPOT
    rules = replace(RULES, maker_fee=D("0.0004"), taker_fee=D("0.0007"), wallet="cash")


class HyperliquidPerpetuals(_Hyperliquid):
    name, product, markets = "Hyperliquid_F", Product.LINEAR, PERPETUALS
    rules = replace(RULES, maker_fee=D("0.00015"), taker_fee=D("0.00045"), wallet="perps")


# -- prices ----------------------------------------------------------------------------------------------


def check_digits(price: Decimal, market: Market) -> None:
    """Five significant digits, or a whole number; and never more decimals than the asset allows."""
    digits = len(price.normalize().as_tuple().digits)
    whole = price == price.to_integral_value()
    if price <= 0 or price % market.extra["finest"] or not (whole or digits <= 5):
        raise Rejected(Reason.PRICE_TICK, str(price))


def on_grid(price: Decimal, market: Market, *, up: bool) -> Decimal:
    steps = (price / market.tick).to_integral_value(ROUND_CEILING if up else ROUND_FLOOR)
    return max(steps, D(1)) * market.tick


# -- answers ---------------------------------------------------------------------------------------------


def sentence(reason: Reason, detail: str) -> str:
    return SENTENCES.get(reason, f"Invalid request: {reason} {{}}").format(detail)


def said(refused: Rejected, desk: Desk, market: Market) -> str:
    if market.product is Product.SPOT and refused.reason is Reason.INSUFFICIENT:
        return "Insufficient spot balance"
    if market.product is Product.SPOT and refused.reason is Reason.MIN_NOTIONAL:
        return f"Order must have minimum value of 10 {market.quote}."
    bbo = f"{text(desk.bid(market))}@{text(desk.ask(market))}"
    return sentence(refused.reason, bbo if refused.reason is Reason.POST_ONLY else refused.detail)


def told_of(order: Order, market: Market) -> Any:
    oid = int(order.id)
    if order.average_price is not None:
        return {"filled": {"totalSz": text(order.filled), "avgPx": text(order.average_price), "oid": oid}}
    if order.open:
        return {"resting": {"oid": oid}}
    return {"error": f"{sentence(Reason.NOT_FILLABLE, '')} asset={market.extra['asset']}"}


# -- signatures ------------------------------------------------------------------------------------------


def digest(data: bytes) -> bytes:
    return keccak.new(data=data, digest_bits=256).digest()


def typed(kind: str, *values: bytes) -> bytes:
    """EIP-712's hash of a struct: its type, then its members in 32 bytes each."""
    return digest(digest(kind.encode()) + b"".join(value.rjust(32, b"\x00") for value in values))


def signer(params: Mapping[str, Any], source: str) -> str:
    """The address whose signature the action carries, "" for none that can be read."""
    try:
        signed, expires = params["signature"], params.get("expiresAfter")
        packed = msgpack.packb(params["action"]) + int(params["nonce"]).to_bytes(8, "big") + b"\x00"
        if expires is not None:
            packed += b"\x00" + int(expires).to_bytes(8, "big")
        domain = typed(
            "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)",
            *(digest(b"Exchange"), digest(b"1"), (1337).to_bytes(2, "big"), b""),
        )
        agent = typed("Agent(string source,bytes32 connectionId)", digest(source.encode()), digest(packed))
        r, s = (int(signed[part], 16).to_bytes(32, "big") for part in ("r", "s"))
        whole = r + s + bytes([signed["v"] - 27])
        key = PublicKey.from_signature_and_message(whole, digest(b"\x19\x01" + domain + agent), hasher=None)
    except Exception:  # noqa: BLE001 - whatever is wrong with it, nobody has signed
        return ""
    return wallet(key)


def wallet(key: PublicKey) -> str:
    return "0x" + digest(key.format(compressed=False)[1:])[-20:].hex()


def address_of(secret: str) -> str:
    return wallet(PrivateKey(bytes.fromhex(secret.removeprefix("0x"))).public_key)
