"""Bitget v2 (classic account) as its clients see it: one host for spot and USDT perpetuals, told apart by path;
errors come with HTTP 400 and a code; placing only acknowledges. Documented at https://www.bitget.com/api-doc/.

Plans (orders that wait for a trigger) live behind endpoints of their own and go on, once triggered, as an order
with another id. The unified account (v3) is not simulated.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any

from exchanges.sandbox.dialect import Dialect, route
from exchanges.sandbox.dialects.bitget_answers import (
    CROSSED,
    LINEAR_MARKETS,
    MARGIN,
    MODES,
    REFUSALS,
    SPOT_MARKETS,
    TRIGGERS,
    contract_row,
    error_answer,
    found_order,
    frame,
    futures_plan_row,
    futures_row,
    kind_of,
    meaning,
    name_of,
    named_answer,
    page_of,
    plan_type,
    spot_plan_row,
    spot_row,
    symbol_row,
    ticker_row,
    type_word,
)
from exchanges.sandbox.engine import Desk
from exchanges.sandbox.ledger import Account, Position
from exchanges.sandbox.meter import Exceeded, Limit, Owner
from exchanges.sandbox.model import ZERO, ClientIds, Order, Reason, Rejected, Rules, Ticket, text
from exchanges.sandbox.wire import Answered, Call, Reply
from exchanges.types import (
    Direction,
    MarginMode,
    OrderStatus,
    OrderType,
    PositionMode,
    Product,
    Side,
    TimeInForce,
)

D = Decimal
SPOT, MIX = "/api/v2/spot", "/api/v2/mix"
WINDOW_MS = 30_000
LARGEST_BATCH = 50
SIDES = {"buy": Side.BUY, "sell": Side.SELL}
TYPES = {"market": False, "limit": True}
FORCES = {
    "gtc": TimeInForce.GTC,
    "ioc": TimeInForce.IOC,
    "fok": TimeInForce.FOK,
    "post_only": TimeInForce.GTC,
}
#: planType of a TP/SL plan -> (is a stop, belongs to the whole position)
TPSL = {
    "loss_plan": (True, False),
    "profit_plan": (False, False),
    "pos_loss": (True, True),
    "pos_profit": (False, True),
}
LIMITS = (
    Limit("address", "address", 6000, 60, Owner.ADDRESS),
    *(Limit(name, name, 10, 1) for name in ("place", "plan", "cancel", "reads", "plans", "account")),
    *(Limit(name, name, 5, 1) for name in ("settings", "positions", "batch")),
    Limit("info", "info", 1, 1),
)


def costs(name: str) -> dict[str, int]:
    return {"address": 1, name: 1}


def _signature(secret: str, signed: bytes) -> bytes:
    return base64.b64encode(hmac.new(secret.encode(), signed, hashlib.sha256).digest())


class _Bitget(Dialect):
    family = "bitget"
    limits = LIMITS
    default_costs = costs("reads")

    # -- the frame -------------------------------------------------------------------------------------

    def key_of(self, call: Call) -> str:
        return call.headers.get("access-key", "")

    def credentials(self) -> tuple[str, str, str]:
        return f"bg_{secrets.token_hex(16)}", secrets.token_hex(32), secrets.token_hex(8)

    def authenticate(self, call: Call) -> Account:
        stamp = call.headers.get("access-timestamp", "")
        if not self.key_of(call):
            raise Rejected(Reason.NO_KEY)
        if (account := self.account(self.key_of(call))) is None:
            raise Rejected(Reason.BAD_KEY)
        given = call.headers.get("access-sign", "").encode()
        signed = (f"{stamp}{call.method}{target}".encode() + call.body for target in call.targets())
        if not any(hmac.compare_digest(_signature(account.secret, each), given) for each in signed):
            raise Rejected(Reason.BAD_SIGNATURE)
        if not hmac.compare_digest(account.passphrase, call.headers.get("access-passphrase", "")):
            raise Answered(error_answer(call, "40012", "apikey/password is incorrect"))
        if not stamp.isdigit() or abs(call.now_ms - int(stamp)) > WINDOW_MS:
            raise Rejected(Reason.BAD_TIMESTAMP)
        if call.method == "POST" and "trade" not in account.permissions:
            raise Rejected(Reason.NO_PERMISSION)
        return account

    def refuse(self, reason: Reason, detail: str, call: Call) -> Reply:
        if reason is Reason.BANNED:
            return Reply(b"<html>403 Forbidden</html>", 403)
        futures, spot, words = REFUSALS.get(reason, ("40017", "40017", "Parameter verification failed {}"))
        code = spot if call.path.startswith(SPOT) else futures
        status = {Reason.INTERNAL: 500, Reason.UNKNOWN_PATH: 404, Reason.THROTTLED: 429}.get(reason, 400)
        return error_answer(call, code, words.format(detail), status)

    def throttled(self, exceeded: Exceeded, call: Call) -> Reply:
        """No Retry-After."""
        return self.refuse(Reason.BANNED if exceeded.banned else Reason.THROTTLED, "", call)

    def usage_headers(self, used: Mapping[str, int]) -> dict[str, str]:
        left = [max(limit.capacity - used[limit.name], 0) for limit in self.limits[1:] if limit.name in used]
        return {"x-mbx-used-remain-limit": str(min(left))} if left else {}

    @property
    def spot(self) -> Desk:
        return self.desks[Product.SPOT]

    @property
    def futures(self) -> Desk:
        return self.desks[Product.LINEAR]

    # -- public ----------------------------------------------------------------------------------------

    @route("GET /api/v2/public/time", public=True, costs={"address": 1})
    def time(self, call: Call) -> Any:
        return frame(call, {"serverTime": str(call.now_ms)})

    @route(f"GET {SPOT}/public/symbols", public=True, costs={"address": 1})
    def symbols(self, call: Call) -> Any:
        return frame(call, [symbol_row(each) for each in self.spot.markets.values()])

    @route(f"GET {SPOT}/public/coins", "GET /api/v2/margin/currencies", public=True, costs={"address": 1})
    def coins(self, call: Call) -> Any:
        """No chains and no margin trading here."""
        names = sorted({name for each in self.spot.markets.values() for name in (each.base, each.quote)})
        margin = call.path.endswith("currencies")
        rows = [{"coinId": str(place), "coin": name, "chains": []} for place, name in enumerate(names)]
        return frame(call, [] if margin else rows)

    @route(f"GET {MIX}/market/contracts", public=True, costs={"address": 1})
    def contracts(self, call: Call) -> Any:
        ours = call.text("productType").upper() == "USDT-FUTURES"
        markets = self.futures.markets.values() if ours else ()
        return frame(call, [contract_row(each) for each in markets])

    @route(f"GET {SPOT}/market/tickers", f"GET {MIX}/market/ticker", public=True, costs={"address": 1})
    def ticker(self, call: Call) -> Any:
        desk = self.spot if call.path.startswith(SPOT) else self.futures
        return frame(call, [ticker_row(call, desk, desk.market(call.text("symbol")))])

    # -- spot orders -----------------------------------------------------------------------------------

    @route(f"POST {SPOT}/trade/place-order", trading=True, costs=costs("place"))
    def place_spot(self, call: Call) -> Any:
        side, limit = call.one_of("side", SIDES), call.one_of("orderType", TYPES)
        by_quote = side is Side.BUY and not limit
        size, force = call.decimal("size"), call.text("force", "gtc").lower()
        ticket = Ticket(
            call.text("symbol"),
            side,
            OrderType.LIMIT if limit else OrderType.MARKET,
            quantity=None if by_quote else size,
            quote_quantity=size if by_quote else None,
            price=call.decimal("price") if limit else None,
            time_in_force=meaning(FORCES, force, "force"),
            post_only=force == "post_only",
            client_id=call.text("clientOid", ""),
        )
        return named_answer(call, self.spot.place(call.account, ticket))

    @route(f"POST {SPOT}/trade/batch-orders", trading=True, costs=costs("batch"))
    def place_spot_batch(self, call: Call) -> Any:
        return self._batch(call, ("symbol",), f"{SPOT}/trade/place-order", self.place_spot)

    def _batch(
        self, call: Call, shared: tuple[str, ...], path: str, handler: Callable[[Call], Any]
    ) -> dict[str, Any]:
        """What is shared stands beside the list and counts for every order in it."""
        orders = call.params.get("orderList")
        if not isinstance(orders, list) or not 0 < len(orders) <= LARGEST_BATCH:
            raise Rejected(Reason.BAD_PARAMETER, "orderList")
        own = {name: call.text(name) for name in shared}
        told = self.each(call, [{**each, **own} for each in orders], path, handler)
        done, failed = [], []
        for order, answer in zip(orders, told, strict=True):
            if answer["code"] == "00000":
                done.append(answer["data"])
            else:
                named = {"orderId": "", "clientOid": order.get("clientOid", "")}
                failed.append(named | {"errorMsg": answer["msg"], "errorCode": answer["code"]})
        return frame(call, {"successList": done, "failureList": failed})

    @route(f"POST {SPOT}/trade/place-plan-order", trading=True, costs=costs("plan"))
    def place_spot_plan(self, call: Call) -> Any:
        side, plan = call.one_of("side", SIDES), call.text("planType", "amount").lower()
        size = call.decimal("size")
        if plan == "total" and side is Side.BUY:
            size = (size / call.decimal("triggerPrice")).quantize(self.spot.market(call.text("symbol")).step)
        limit = call.one_of("orderType", TYPES)
        ticket = self._plan(
            call, self.spot, side, size, plan, call.decimal("executePrice") if limit else None
        )
        return named_answer(call, self.spot.place(call.account, ticket))

    @staticmethod
    def _plan(
        call: Call, desk: Desk, side: Side, size: Decimal, plan: str, price: Decimal | None, **more: Any
    ) -> Ticket:
        """It waits for the side of the market on which its trigger lies."""
        trigger = call.decimal("triggerPrice")
        rises = trigger > desk.bid(desk.market(call.text("symbol")))
        return Ticket(
            call.text("symbol"),
            side,
            kind_of(stop=rises == (side is Side.BUY), limit=price is not None),
            quantity=size,
            price=price,
            trigger_price=trigger,
            trigger_by=call.one_of("triggerType", TRIGGERS),
            rises=rises,
            client_id=call.text("clientOid", ""),
            extra={"planType": plan},
            **more,
        )

    @route(f"POST {SPOT}/trade/cancel-order", trading=True, costs=costs("cancel"))
    def cancel_spot(self, call: Call) -> Any:
        return named_answer(call, self.spot.cancel(call.account, self._order(call, self.spot)))

    @route(f"POST {SPOT}/trade/cancel-plan-order", trading=True, costs=costs("cancel"))
    def cancel_spot_plan(self, call: Call) -> Any:
        order = found_order(self.spot, call.account, call.params)
        if order is None or not order.waiting or not order.open:
            raise Answered(error_answer(call, "43025", "Plan order does not exist"))
        self.spot.cancel(call.account, order)
        return frame(call, {"result": "success"})

    @route(f"GET {SPOT}/trade/orderInfo")
    def spot_order(self, call: Call) -> Any:
        order = self._order(call, self.spot)
        return frame(call, [] if order is None else [spot_row(order)])

    @route(f"GET {SPOT}/trade/unfilled-orders")
    def spot_open(self, call: Call) -> Any:
        return frame(
            call, [spot_row(each, listed=True) for each in page_of(call, self._resting(call, self.spot))]
        )

    @route(f"GET {SPOT}/trade/history-orders")
    def spot_history(self, call: Call) -> Any:
        ended = [
            each for each in self._all(call, self.spot) if not each.open and not each.ticket.type.conditional
        ]
        return frame(call, [spot_row(each) for each in page_of(call, ended)])

    @route(
        f"GET {SPOT}/trade/current-plan-order", f"GET {SPOT}/trade/history-plan-order", costs=costs("plans")
    )
    def spot_plans(self, call: Call) -> Any:
        wanted = self._plans(call, self.spot, live="/current" in call.path)
        rows = [spot_plan_row(each) for each in page_of(call, wanted)]
        return frame(
            call, {"nextFlag": False, "idLessThan": rows[-1]["orderId"] if rows else "", "orderList": rows}
        )

    @route(f"GET {SPOT}/trade/plan-sub-order", costs=costs("plans"))
    def spot_sub_order(self, call: Call) -> Any:
        order = self.spot.book(call.account).orders.get(call.text("planOrderId"))
        if order is None or not order.live_id:
            return frame(call, [])
        row = {
            "orderId": order.live_id,
            "price": text(order.price),
            "type": type_word(order),
            "status": "success",
        }
        return frame(call, [row])

    # -- futures orders --------------------------------------------------------------------------------

    @route(f"POST {MIX}/order/place-order", trading=True, costs=costs("place"))
    def place_futures(self, call: Call) -> Any:
        limit, force = call.one_of("orderType", TYPES), call.text("force", "gtc").lower()
        self._margin(call)
        side, direction, closes = self._meant(call)
        ticket = Ticket(
            call.text("symbol"),
            side,
            OrderType.LIMIT if limit else OrderType.MARKET,
            quantity=call.decimal("size"),
            price=call.decimal("price") if limit else None,
            time_in_force=meaning(FORCES, force, "force"),
            post_only=force == "post_only",
            reduce_only=closes,
            position_side=direction,
            client_id=call.text("clientOid", ""),
        )
        return named_answer(call, self.futures.place(call.account, ticket))

    @route(f"POST {MIX}/order/batch-place-order", trading=True, costs=costs("batch"))
    def place_futures_batch(self, call: Call) -> Any:
        shared = ("symbol", "productType", "marginCoin", "marginMode")
        return self._batch(call, shared, f"{MIX}/order/place-order", self.place_futures)

    def _margin(self, call: Call) -> None:
        """The margin mode comes with each order, and changes nothing while a position or an order stands."""
        self._scope(call)
        symbol, mode = call.text("symbol"), call.one_of("marginMode", MARGIN)
        if self.futures.margin_mode(call.account, self.futures.market(symbol)) is not mode:
            self._set_margin_mode(call, symbol, mode)

    def _set_margin_mode(self, call: Call, symbol: str, mode: MarginMode) -> None:
        try:
            self.futures.set_margin_mode(call.account, symbol, mode)
        except Rejected as refused:
            if refused.reason in (Reason.HAS_POSITION, Reason.HAS_OPEN_ORDERS):
                words = "Currently holding positions or orders, the margin mode cannot be adjusted"
                raise Answered(error_answer(call, "45117", words)) from None
            raise

    @staticmethod
    def _scope(call: Call) -> None:
        if call.text("productType").upper() != "USDT-FUTURES":
            raise Rejected(Reason.BAD_PARAMETER, "productType")

    def _hedged(self, call: Call) -> bool:
        return self.futures.book(call.account).position_mode is PositionMode.HEDGE

    def _meant(self, call: Call) -> tuple[Side, Direction | None, bool]:
        """(side, position, closes). In hedge mode `side` names the position."""
        side, trade = call.one_of("side", SIDES), call.text("tradeSide", "").lower()
        if not self._hedged(call):
            return side, None, call.text("reduceOnly", "NO").upper() == "YES"
        if trade not in ("open", "close"):
            raise Rejected(Reason.POSITION_MODE)
        direction = Direction.LONG if side is Side.BUY else Direction.SHORT
        closes = trade == "close"
        return (direction.exit_side if closes else direction.entry_side), direction, closes

    @route(f"POST {MIX}/order/place-plan-order", trading=True, costs=costs("plan"))
    def place_futures_plan(self, call: Call) -> Any:
        if call.text("planType") != "normal_plan":
            raise Rejected(Reason.BAD_PARAMETER, "planType (others are not simulated)")
        self._margin(call)
        side, direction, closes = self._meant(call)
        price = call.decimal("price") if call.one_of("orderType", TYPES) else None
        more = {"reduce_only": closes, "position_side": direction}
        ticket = self._plan(call, self.futures, side, call.decimal("size"), "normal_plan", price, **more)
        return named_answer(call, self.futures.place(call.account, ticket))

    @route(f"POST {MIX}/order/place-tpsl-order", trading=True, costs=costs("plan"))
    def place_tpsl(self, call: Call) -> Any:
        self._scope(call)
        stop, whole = call.one_of("planType", TPSL)
        position = self._held(call)
        size = abs(position.quantity) if whole else call.decimal("size")
        if not position.quantity or size > abs(position.quantity):
            raise Answered(
                error_answer(call, "43023", "Insufficient position, can not set profit or stop loss")
            )
        ticket = self._tpsl_ticket(call, position, size, stop=stop, whole=whole)
        try:
            return named_answer(call, self.futures.place(call.account, ticket))
        except Rejected as refused:
            if refused.reason is not Reason.WOULD_TRIGGER:
                raise
            raise Answered(error_answer(call, *CROSSED[position.direction is Direction.LONG, stop])) from None

    def _held(self, call: Call) -> Position:
        """The position `holdSide` names: long or short in hedge mode, else by the side that opened it."""
        hold, hedged = call.text("holdSide").lower(), self._hedged(call)
        names = (
            {"long": Direction.LONG, "short": Direction.SHORT}
            if hedged
            else {
                "buy": Direction.LONG,
                "sell": Direction.SHORT,
            }
        )
        if (direction := names.get(hold)) is None:
            raise Rejected(Reason.POSITION_MODE)
        market = self.futures.market(call.text("symbol"))
        position = self.futures.book(call.account).position(market, direction if hedged else None)
        if position.quantity and position.direction is not direction:
            raise Answered(
                error_answer(call, "43023", "Insufficient position, can not set profit or stop loss")
            )
        return position

    @staticmethod
    def _tpsl_ticket(call: Call, position: Position, size: Decimal, *, stop: bool, whole: bool) -> Ticket:
        price = call.decimal_or_none("executePrice") or None
        link = f"{position.market.symbol} {position.side} {call.account.fingerprint}"
        return Ticket(
            call.text("symbol"),
            position.direction.exit_side,
            kind_of(stop=stop, limit=price is not None),
            quantity=size,
            price=price,
            trigger_price=call.decimal("triggerPrice"),
            trigger_by=call.one_of("triggerType", TRIGGERS, "fill_price"),
            reduce_only=True,
            position_bound=whole,
            position_side=position.side,
            client_id=call.text("clientOid", ""),
            link=link if whole else "",
            extra={"planType": call.text("planType")},
        )

    @route(f"POST {MIX}/order/cancel-order", trading=True, costs=costs("cancel"))
    def cancel_futures(self, call: Call) -> Any:
        self._scope(call)
        return named_answer(call, self.futures.cancel(call.account, self._order(call, self.futures)))

    @route(f"POST {MIX}/order/cancel-plan-order", trading=True, costs=costs("cancel"))
    def cancel_futures_plan(self, call: Call) -> Any:
        """Each named plan is cancelled when it is of the kind asked for, "normal_plan" when none is."""
        self._scope(call)
        asked, kind = call.params.get("orderIdList"), call.text("planType", "normal_plan")
        done: list[Any] = []
        failed: list[Any] = []
        for each in asked if isinstance(asked, list) else []:
            order = found_order(self.futures, call.account, each)
            live = order is not None and order.open and order.waiting
            if order is not None and live and plan_type(order) == kind:
                self.futures.cancel(call.account, order)
                done.append({"orderId": order.id, "clientOid": order.client_id})
            else:
                failed.append({**each, "errorMsg": "The plan order does not exist"})
        return frame(call, {"successList": done, "failureList": failed})

    @route(f"GET {MIX}/order/detail")
    def futures_order(self, call: Call) -> Any:
        if (order := self._order(call, self.futures)) is None:
            raise Rejected(Reason.UNKNOWN_ORDER)
        return frame(call, futures_row(self.futures, call.account, order, "state"))

    @route(f"GET {MIX}/order/orders-pending")
    def futures_open(self, call: Call) -> Any:
        return self._entrusted(call, self._resting(call, self.futures))

    @route(f"GET {MIX}/order/orders-history")
    def futures_history(self, call: Call) -> Any:
        every = self._all(call, self.futures)
        return self._entrusted(
            call, [each for each in every if not each.open and not each.ticket.type.conditional]
        )

    def _entrusted(self, call: Call, orders: Iterable[Order]) -> Any:
        rows = [futures_row(self.futures, call.account, each, "status") for each in page_of(call, orders)]
        return frame(call, {"entrustedList": rows or None, "endId": rows[-1]["orderId"] if rows else None})

    @route(
        f"GET {MIX}/order/orders-plan-pending", f"GET {MIX}/order/orders-plan-history", costs=costs("plans")
    )
    def futures_plans(self, call: Call) -> Any:
        self._scope(call)
        kinds = {"normal_plan": ("normal_plan",), "profit_loss": tuple(TPSL)}
        wanted = call.one_of("planType", kinds)
        found = self._plans(call, self.futures, live=call.path.endswith("pending"))
        rows = [
            futures_plan_row(self.futures, call.account, each)
            for each in page_of(call, [each for each in found if plan_type(each) in wanted])
        ]
        return frame(call, {"entrustedList": rows or None, "endId": rows[-1]["orderId"] if rows else None})

    # -- which orders ----------------------------------------------------------------------------------

    @staticmethod
    def _order(call: Call, desk: Desk) -> Order | None:
        """A plain order, or what a plan became, which has only its own id."""
        order = found_order(desk, call.account, call.params)
        if order is None or not order.ticket.type.conditional:
            return order
        return order if order.live_id and call.text("orderId", "") == order.live_id else None

    @staticmethod
    def _all(call: Call, desk: Desk) -> list[Order]:
        """Newest first."""
        wanted = call.text("symbol", "")
        orders = reversed(list(desk.book(call.account).orders.values()))
        return [each for each in orders if wanted in ("", each.market.symbol)]

    def _resting(self, call: Call, desk: Desk) -> list[Order]:
        return [each for each in self._all(call, desk) if each.open and not each.waiting]

    def _plans(self, call: Call, desk: Desk, *, live: bool) -> list[Order]:
        by_id, by_client = call.text("orderId", ""), call.text("clientOid", "")
        return [
            each
            for each in self._all(call, desk)
            if each.ticket.type.conditional
            and (each.open and each.waiting) == live
            and by_id in ("", each.id)
            and (by_id or by_client in ("", each.client_id))
        ]

    # -- positions and account -------------------------------------------------------------------------

    @route(
        f"GET {MIX}/position/all-position", f"GET {MIX}/position/single-position", costs=costs("positions")
    )
    def positions(self, call: Call) -> Any:
        self._scope(call)
        wanted = call.text("symbol", "")
        held = self.futures.book(call.account).open_positions()
        found = [each for each in held if wanted in ("", each.market.symbol)]
        return frame(call, [self._position_row(call, each) for each in found])

    def _position_row(self, call: Call, position: Position) -> dict[str, Any]:
        desk, market = self.futures, position.market
        mark, leverage = desk.bid(market), desk.leverage(call.account, market)
        return {
            "marginCoin": "USDT",
            "symbol": market.symbol,
            "holdSide": str(position.direction),
            "marginSize": text(position.notional(position.entry_price) / leverage),
            "available": text(abs(position.quantity)),
            "locked": "0",
            "total": text(abs(position.quantity)),
            "leverage": text(leverage),
            "achievedProfits": text(position.realised),
            "openPriceAvg": text(position.entry_price),
            "marginMode": name_of(MARGIN, desk.margin_mode(call.account, market)),
            "posMode": name_of(MODES, desk.book(call.account).position_mode),
            "unrealizedPL": text(position.unrealised(mark)),
            "liquidationPrice": "0",
            "markPrice": text(mark),
            "cTime": str(position.updated_ms),
            "uTime": str(position.updated_ms),
        }

    @route(f"GET {MIX}/account/accounts", costs=costs("account"))
    def futures_accounts(self, call: Call) -> Any:
        self._scope(call)
        return frame(call, [self._futures_wallet(call.account)])

    @route(f"GET {MIX}/account/account", costs=costs("account"))
    def futures_account(self, call: Call) -> Any:
        self._scope(call)
        market = self.futures.market(call.text("symbol"))
        leverage = int(self.futures.leverage(call.account, market))
        levers = dict.fromkeys(("crossedMarginLeverage", "isolatedLongLever", "isolatedShortLever"), leverage)
        modes = {
            "marginMode": name_of(MARGIN, self.futures.margin_mode(call.account, market)),
            "posMode": name_of(MODES, self.futures.book(call.account).position_mode),
        }
        return frame(call, {**self._futures_wallet(call.account), **levers, **modes})

    def _futures_wallet(self, account: Account) -> dict[str, Any]:
        wallet = self.futures.rules.wallet
        profit, free = account.unrealised(wallet, "USDT"), text(max(account.free(wallet, "USDT"), ZERO))
        total = account.total(wallet, "USDT")
        names = ("crossedMaxAvailable", "isolatedMaxAvailable", "maxTransferOut")
        equity = dict.fromkeys(("accountEquity", "usdtEquity"), text(total + profit))
        return {
            "marginCoin": "USDT",
            "locked": "0",
            "available": text(total),
            **dict.fromkeys(names, free),
            **equity,
            "unrealizedPL": text(profit),
        }

    @route(f"POST {MIX}/account/set-leverage", costs=costs("settings"))
    def set_leverage(self, call: Call) -> Any:
        self._scope(call)
        self.futures.set_leverage(call.account, call.text("symbol"), call.decimal("leverage"))
        return frame(call, {"symbol": call.text("symbol"), "crossMarginLeverage": call.text("leverage")})

    @route(f"POST {MIX}/account/set-margin-mode", costs=costs("settings"))
    def set_margin_mode(self, call: Call) -> Any:
        self._scope(call)
        self._set_margin_mode(call, call.text("symbol"), call.one_of("marginMode", MARGIN))
        return frame(call, {"symbol": call.text("symbol"), "marginMode": call.text("marginMode")})

    @route(f"POST {MIX}/account/set-position-mode", costs=costs("settings"))
    def set_position_mode(self, call: Call) -> Any:
        self._scope(call)
        self.futures.set_position_mode(call.account, call.one_of("posMode", MODES))
        return frame(call, {"posMode": call.text("posMode")})

    @route(f"GET {SPOT}/account/assets", costs=costs("account"))
    def assets(self, call: Call) -> Any:
        account, wallet = call.account, self.spot.rules.wallet
        rows = []
        for coin in account.wallets[wallet]:
            total, locked = account.total(wallet, coin), account.locked(wallet, coin)
            row = {"coin": coin, "available": text(total - locked), "frozen": text(locked), "locked": "0"}
            rows.append({**row, "limitAvailable": "0", "uTime": str(call.now_ms)})
        return frame(call, rows)

    @route(f"GET {SPOT}/account/info", costs=costs("info"))
    def key_info(self, call: Call) -> Any:
        may = call.account.permissions
        rights = ["stow", "coow", "cpow"] if "trade" in may else ["stor", "coor", "cpor"]
        rights += ["wwow"] if "withdraw" in may else []
        return frame(call, {"userId": "1", "ips": "", "authorities": rights, "traderType": "not_trader"})


class BitgetSpot(_Bitget):
    name, product, markets = "Bitget", Product.SPOT, SPOT_MARKETS
    rules = Rules(
        maker_fee=D("0.001"),
        taker_fee=D("0.001"),
        wallet="spot",
        conditional_holds=False,
        client_ids=ClientIds.FOREVER,
        new_id_on_trigger=True,
        unfilled=OrderStatus.CANCELLED,
        cancels_instead=frozenset({Reason.POST_ONLY, Reason.NOT_FILLABLE}),
        order_id=lambda number: str(1_100_000_000_000_000_000 + number),
    )


class BitgetFutures(_Bitget):
    name, product, markets = "Bitget_F", Product.LINEAR, LINEAR_MARKETS
    rules = Rules(
        maker_fee=D("0.0002"),
        taker_fee=D("0.0006"),
        wallet="futures",
        client_ids=ClientIds.FOREVER,
        new_id_on_trigger=True,
        unfilled=OrderStatus.CANCELLED,
        cancels_instead=frozenset({Reason.POST_ONLY, Reason.NOT_FILLABLE}),
        order_id=lambda number: str(1_100_000_000_000_000_000 + number),
    )
