"""Bitunix' spot and perpetuals as their clients see them: refusals with HTTP 200 and a code, and orders that are only
acknowledged. On perpetuals TP/SL records that hang on a position and have no id of the caller; on spot refused placements
that say success, client ids that are kept and open nothing, and silence about orders that do not exist.

Documented at https://www.bitunix.com/api-docs/futures/ (stored copies read 2026-11-22). Not documented, so chosen here: the
answer to a timestamp outside the window and to the other position mode (a wrong parameter), the state words of records, and
that a hedged order that closes is listed as reduce-only with the side of its position.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from email.utils import format_datetime
from typing import Any

from exchanges.sandbox.dialect import Dialect, route
from exchanges.sandbox.ledger import Account, Position
from exchanges.sandbox.meter import Exceeded, Limit, Owner
from exchanges.sandbox.model import (
    ZERO,
    ClientIds,
    Fill,
    Market,
    Order,
    Reason,
    Rejected,
    Rules,
    Ticket,
    decimals_of,
    text,
)
from exchanges.sandbox.wire import Answered, Call, Reply
from exchanges.types import (
    STOPS,
    Direction,
    MarginMode,
    OrderStatus,
    OrderType,
    PositionMode,
    Product,
    Side,
    TimeInForce,
    TriggerBy,
)

D = Decimal
PATH = "/api/v1/futures/"
WINDOW_MS = 60_000
LONGEST_LIST = 100
LARGEST_BATCH = 5
SIDES = {"BUY": Side.BUY, "SELL": Side.SELL}
SIDE_OF = {side: name for name, side in SIDES.items()}
EFFECTS = {
    "GTC": TimeInForce.GTC,
    "IOC": TimeInForce.IOC,
    "FOK": TimeInForce.FOK,
    "POST_ONLY": TimeInForce.GTC,
}
TRIGGERS = {"LAST_PRICE": TriggerBy.LAST, "MARK_PRICE": TriggerBy.MARK}
TRIGGER_OF = {by: name for name, by in TRIGGERS.items()}
MARGIN = {"ISOLATION": MarginMode.ISOLATED, "CROSS": MarginMode.CROSS}
MARGIN_OF = {mode: name for name, mode in MARGIN.items()}
MODES = {"ONE_WAY": PositionMode.ONE_WAY, "HEDGE": PositionMode.HEDGE}
MODE_OF = {mode: name for name, mode in MODES.items()}
KINDS = {
    ("sl", False): OrderType.STOP,
    ("sl", True): OrderType.STOP_LIMIT,
    ("tp", False): OrderType.TAKE_PROFIT,
    ("tp", True): OrderType.TAKE_PROFIT_LIMIT,
}
#: whether it is a stop, whether the price rises to it
CROSSED = {
    (False, True): (30020, "Trigger price for TP should be higher than mark price:"),
    (False, False): (30021, "Trigger price for TP should be lower than mark price:"),
    (True, True): (30022, "Trigger price for SL should be higher than mark price:"),
    (True, False): (30023, "Trigger price fo SL should be lower than mark price:"),
}
NOT_FOUND = (20007, "Order not found, please try it later")
NO_POSITION = (30004, "Position not exist")
REFUSALS = {
    Reason.NO_KEY: (10003, "api-key can't be empty"),
    Reason.BAD_KEY: (10003, "api-key can't be empty"),
    Reason.BAD_SIGNATURE: (10007, "Sign signature error"),
    Reason.NO_PERMISSION: (20011, "Account not allowed to trade"),
    Reason.THROTTLED: (10006, "Request too frequently"),
    Reason.BANNED: (10005, "Too many requests, please try again later"),
    Reason.MAINTENANCE: (10001, "Network Error"),
    Reason.INTERNAL: (10001, "Network Error"),
    Reason.UNKNOWN_SYMBOL: (20001, "Market not exists"),
    Reason.PRICE_TICK: (10008, "price does not comply with the rule"),
    Reason.TRIGGER_TICK: (10008, "trigger price does not comply with the rule"),
    Reason.QUANTITY_STEP: (10008, "qty does not comply with the rule"),
    Reason.STOP_REFUSED: (10008, "order does not comply with the rule"),
    Reason.MIN_QUANTITY: (30017, "The qty cannot be less than the minimum qty"),
    Reason.MAX_QUANTITY: (30013, "Exceeded the maximum order quantity"),
    Reason.DUPLICATE: (30042, "Client ID duplicate"),
    Reason.INSUFFICIENT: (20003, "Insufficient balance"),
    Reason.REDUCE_ONLY: (
        30018,
        "Order failed. No position opened. Cancel [Reduce-only] settings and retry later",
    ),
    Reason.UNKNOWN_ORDER: NOT_FOUND,
    Reason.NOT_OPEN: NOT_FOUND,
    Reason.LEVERAGE: (20005, "Invalid leverage"),
    Reason.HAS_OPEN_ORDERS: (
        20006,
        "You can't change leverage or margin mode as there are open orders",
    ),
    Reason.HAS_POSITION: (20009, "Position exists, so positions mode cannot be updated"),
}
OTHERWISE = (10002, "Parameter Error")
SPOT_PATH = "/api/spot/v1/"
SPOT_SIDES = {"1": Side.SELL, "2": Side.BUY}
SPOT_SIDE_OF = {side: int(number) for number, side in SPOT_SIDES.items()}
#: told in an answer that says success; of these only the first was seen by others
PLACING = {
    Reason.INSUFFICIENT: ("10034", "余额不足"),
    Reason.QUANTITY_STEP: ("10058", "volume precision error"),
}
SPOT_REFUSALS = {
    Reason.NO_KEY: ("100004", "result.api.key.not.found"),
    Reason.BAD_KEY: ("100004", "result.api.key.not.found"),
    Reason.BAD_SIGNATURE: ("100005", "result.api.parameter.sign.illegal"),
    Reason.BAD_TIMESTAMP: ("100008", "result.request.time.expired"),
    Reason.NO_PERMISSION: ("110033", "OPEN_API_KEY_NO_AUTHORITY"),
    Reason.THROTTLED: ("110041", "too fast"),
    Reason.BANNED: ("110041", "too fast"),
}
#: base, tick, step
COINS = (
    ("BTC", "0.1", "0.0001"),
    ("ETH", "0.01", "0.001"),
    ("SOL", "0.001", "0.1"),
    ("XRP", "0.0001", "0.1"),
    ("LTC", "0.01", "0.001"),
    ("DOGE", "0.00001", "1"),
)
USED = "create pair settings account orders order trades records ended_records positions cancel_pair"


def _market(base: str, tick: str, step: str) -> Market:
    most = D(1_000_000)
    return Market(
        f"{base}USDT",
        base,
        "USDT",
        Product.LINEAR,
        D(tick),
        D(step),
        min_quantity=D(step),
        max_quantity=most,
        max_market_quantity=most,
        max_leverage=D(125),
    )


def _pair(base: str, tick: str, step: str) -> Market:
    return Market(f"{base}USDT", base, "USDT", Product.SPOT, D(tick), D(step), D(step), min_notional=D(10))


class BitunixFrame(Dialect):
    """Keys and signatures, the same for both products."""

    family = "bitunix"

    def key_of(self, call: Call) -> str:
        return call.headers.get("api-key", "")

    def credentials(self) -> tuple[str, str, str]:
        return secrets.token_hex(16), secrets.token_hex(16), ""

    def authenticate(self, call: Call) -> Account:
        if not (key := self.key_of(call)):
            raise Rejected(Reason.NO_KEY)
        if (account := self.account(key)) is None:
            raise Rejected(Reason.BAD_KEY)
        nonce, moment = call.headers.get("nonce", ""), call.headers.get("timestamp", "")
        if not hmac.compare_digest(_signature(call, account, nonce, moment), call.headers.get("sign", "")):
            raise Rejected(Reason.BAD_SIGNATURE)
        if not 32 <= len(nonce) <= 64 or not moment.isdigit() or abs(int(moment) - call.now_ms) > WINDOW_MS:
            raise Rejected(Reason.BAD_TIMESTAMP)
        if self.writes(call) and "trade" not in account.permissions:
            raise Rejected(Reason.NO_PERMISSION)
        return account

    def writes(self, call: Call) -> bool:
        return call.method != "GET"


class BitunixFutures(BitunixFrame):
    name, product = "Bitunix_F", Product.LINEAR
    markets = tuple(_market(*coin) for coin in COINS)
    limits = (
        *(Limit(name, name, 10, 1) for name in USED.split()),
        Limit("batch", "batch", 1, 1),
        Limit("cancel", "cancel", 5, 1),
        Limit("market", "market", 10, 1, Owner.ADDRESS),
    )
    rules = Rules(
        maker_fee=D("0.0002"),
        taker_fee=D("0.0006"),
        wallet="futures",
        client_ids=ClientIds.FOREVER,
        new_id_on_trigger=True,
        cancels_instead=frozenset({Reason.POST_ONLY, Reason.NOT_FILLABLE}),
        unfilled=OrderStatus.CANCELLED,
        order_id=lambda number: str(1_984_824_772_000_000_000 + number),
    )

    # -- the frame -------------------------------------------------------------------------------------

    def refuse(self, reason: Reason, detail: str, call: Call) -> Reply:
        if reason is Reason.UNKNOWN_PATH:
            return Reply(b"404 page not found", 404)
        code, words = REFUSALS.get(reason, OTHERWISE)
        return _refused(code, words, 500 if reason is Reason.INTERNAL else 200)

    def throttled(self, exceeded: Exceeded, call: Call) -> Reply:
        """No header tells how long to stay off."""
        return self.refuse(Reason.BANNED if exceeded.banned else Reason.THROTTLED, "", call)

    # -- public ----------------------------------------------------------------------------------------

    @route(f"GET {PATH}market/trading_pairs", public=True, costs={"market": 1})
    def trading_pairs(self, call: Call) -> Any:
        wanted = call.text("symbols", "").split(",")
        return _ok([_pair_row(each) for each in self.markets if wanted == [""] or each.symbol in wanted])

    @route(f"GET {PATH}market/tickers", public=True, costs={"market": 1})
    def tickers(self, call: Call) -> Any:
        wanted = call.text("symbols", "").split(",")
        rows = [
            {"symbol": each.symbol}
            | dict.fromkeys(("markPrice", "lastPrice", "last"), text(self.desk.bid(each)))
            for each in self.markets
            if wanted == [""] or each.symbol in wanted
        ]
        moment = datetime.fromtimestamp(call.now_ms // 1000, UTC)
        return Reply(_ok(rows), headers={"date": format_datetime(moment, usegmt=True)})

    @route(f"GET {PATH}market/depth", public=True, costs={"market": 1})
    def depth(self, call: Call) -> Any:
        market = self.desk.market(call.text("symbol"))
        bid, ask = (text(price) for price in (self.desk.bid(market), self.desk.ask(market)))
        return _ok({"asks": [[ask, "1000"]], "bids": [[bid, "1000"]]})

    # -- orders ----------------------------------------------------------------------------------------

    @route(f"POST {PATH}trade/place_order", trading=True, costs={"create": 1})
    def place(self, call: Call) -> Any:
        limit = call.one_of("orderType", {"LIMIT": True, "MARKET": False})
        effect = call.text("effect", "GTC")
        ticket = Ticket(
            call.text("symbol"),
            quantity=call.decimal("qty"),
            type=OrderType.LIMIT if limit else OrderType.MARKET,
            price=call.decimal("price") if limit else None,
            time_in_force=call.one_of("effect", EFFECTS, "GTC") if limit else TimeInForce.GTC,
            post_only=limit and effect == "POST_ONLY",
            client_id=call.text("clientId", ""),
            extra={"effect": effect},
            **self._aim(call),
        )
        ticket = replace(ticket, attached=tuple(self._attached(call, ticket)))
        order = self.desk.place(call.account, ticket)
        return _ok({"orderId": order.id, "clientId": order.client_id})

    def _attached(self, call: Call, entry: Ticket) -> Iterator[Ticket]:
        """One record of its stop and its target from the first fill on, for as much as it orders."""
        record, side = self.rules.order_id(self.desk.number()), entry.side.opposite
        for prefix in ("sl", "tp"):
            if entry.reduces or not call.text(f"{prefix}Price", ""):
                continue
            limit = call.one_of(f"{prefix}OrderType", {"LIMIT": True, "MARKET": False}, "MARKET")
            yield Ticket(
                entry.symbol,
                side,
                KINDS[prefix, limit],
                quantity=entry.quantity,
                price=call.decimal(f"{prefix}OrderPrice") if limit else None,
                trigger_price=call.decimal(f"{prefix}Price"),
                trigger_by=call.one_of(f"{prefix}StopType", TRIGGERS, "MARK_PRICE"),
                reduce_only=entry.position_side is None,
                position_bound=True,
                position_side=entry.position_side,
                link=f"record {record}",
                extra={"record": record, "effect": "GTC"},
            )

    @route(f"POST {PATH}trade/modify_order", trading=True, costs={"create": 1})
    def modify(self, call: Call) -> Any:
        order = self._plain(call.account, call.text("orderId", ""), call.text("clientId", ""))
        if order is None or not order.open:
            raise Rejected(Reason.UNKNOWN_ORDER)
        self.desk.amend(
            call.account, order, quantity=call.decimal_or_none("qty"), price=call.decimal_or_none("price")
        )
        return _ok({"orderId": order.id, "clientId": order.client_id})

    @route(f"POST {PATH}trade/flash_close_position", trading=True, costs={"create": 1})
    def flash_close(self, call: Call) -> Any:
        """All of it, at market."""
        wanted = call.text("positionId")
        for position in self.desk.book(call.account).open_positions():
            if self._number_of(call.account, position) == wanted:
                self._close(call.account, position)
                return _ok({"positionId": wanted})
        raise Answered(_refused(*NO_POSITION))

    @route(f"POST {PATH}trade/close_all_position", trading=True, costs={"create": 1})
    def close_all(self, call: Call) -> Any:
        """Of the symbol that may be named."""
        symbol = call.text("symbol", "")
        for position in self.desk.book(call.account).open_positions():
            if symbol in ("", position.market.symbol):
                self._close(call.account, position)
        return _ok({})

    def _close(self, account: Account, position: Position) -> None:
        ticket = Ticket(
            position.market.symbol,
            position.direction.exit_side,
            OrderType.MARKET,
            quantity=abs(position.quantity),
            reduce_only=position.side is None,
            position_side=position.side,
            extra={"effect": "GTC"},
        )
        self.desk.place(account, ticket)

    @route(f"POST {PATH}trade/batch_order", trading=True, costs={"batch": 1})
    def place_batch(self, call: Call) -> Any:
        symbol, orders = call.text("symbol"), call.params.get("orderList")
        self.desk.market(symbol)
        if not isinstance(orders, list) or not 0 < len(orders) <= LARGEST_BATCH:
            raise Rejected(Reason.BAD_PARAMETER, "orderList")
        named = [{**each, "symbol": symbol} for each in orders]
        told = self.each(call, named, f"{PATH}trade/place_order", self.place)
        done, failed = [], []
        for order, answer in zip(orders, told, strict=True):
            row = {"clientId": order.get("clientId", "")}
            if answer["code"] == 0:
                done.append({"id": answer["data"]["orderId"], **row})
            else:
                failed.append(row | {"errorMsg": answer["msg"], "errorCode": answer["code"]})
        return _ok({"successList": done, "failureList": failed})

    def _aim(self, call: Call) -> dict[str, Any]:
        """Side and position. In hedge mode an order that closes has the side of the position it names."""
        side = call.one_of("side", SIDES)
        if self.desk.book(call.account).position_mode is PositionMode.ONE_WAY:
            return {"side": side, "reduce_only": call.flag("reduceOnly")}
        closes = call.one_of("tradeSide", {"OPEN": False, "CLOSE": True})
        direction = Direction.LONG if side is Side.BUY else Direction.SHORT
        if closes and self._position_of(call).side is not direction:
            raise Rejected(Reason.BAD_PARAMETER, "side")
        return {"side": side.opposite if closes else side, "position_side": direction}

    @route(f"GET {PATH}trade/get_order_detail", costs={"order": 1})
    def detail(self, call: Call) -> Any:
        named = call.text("orderId", ""), call.text("clientId", "")
        if not any(named):
            raise Rejected(Reason.MISSING_PARAMETER, "orderId")
        if (order := self._plain(call.account, *named)) is None:
            raise Rejected(Reason.UNKNOWN_ORDER)
        return _ok(self._order_row(call.account, order))

    def _plain(self, account: Account, order_id: str, client_id: str) -> Order | None:
        """A leg of a record is an order from its trigger on, under another number."""
        found = self.desk.order(account, order_id=order_id, client_id=client_id)
        if found is not None and _record(found) and order_id != found.live_id:
            return None
        return found

    @route(f"GET {PATH}trade/get_pending_orders", costs={"orders": 1})
    def pending(self, call: Call) -> Any:
        found = [each for each in self._listed(call) if each.open and not each.waiting]
        return _page(call, "orderList", [self._order_row(call.account, each) for each in found])

    @route(f"GET {PATH}trade/get_history_orders", costs={"orders": 1})
    def history(self, call: Call) -> Any:
        found = [each for each in self._listed(call) if not each.open and (not _record(each) or each.live_id)]
        return _page(call, "orderList", [self._order_row(call.account, each) for each in found])

    @route(f"GET {PATH}trade/get_history_trades", costs={"trades": 1})
    def trades(self, call: Call) -> Any:
        wanted = {name: call.text(name, "") for name in ("symbol", "orderId", "positionId")}
        since_ms = call.integer("startTime", 0)
        rows = [self._trade_row(call.account, fill, number) for fill, number in self._numbered(call.account)]
        found = [
            row
            for row in reversed(rows)
            if row["ctime"] >= since_ms and all(want in ("", row[name]) for name, want in wanted.items())
        ]
        return _page(call, "tradeList", found)

    @route(f"POST {PATH}trade/cancel_orders", trading=True, costs={"cancel": 1})
    def cancel(self, call: Call) -> Any:
        market, done, failed = self.desk.market(call.text("symbol")), [], []
        for each in call.params["orderList"]:
            named = str(each.get("orderId") or ""), str(each.get("clientId") or "")
            order = self._plain(call.account, *named)
            row = {"orderId": named[0], "clientId": named[1]}
            if order is None or not order.open or order.market is not market:
                failed.append(row | {"errorCode": str(NOT_FOUND[0]), "errorMsg": NOT_FOUND[1]})
                continue
            self.desk.cancel(call.account, order)
            done.append(row)
        return _ok({"successList": done, "failureList": failed})

    @route(f"POST {PATH}trade/cancel_all_orders", trading=True, costs={"cancel": 1})
    def cancel_all(self, call: Call) -> Any:
        for order in [each for each in self._listed(call) if each.open and not each.waiting]:
            self.desk.cancel(call.account, order)
        return _ok({"successList": [], "failureList": []})

    def _listed(self, call: Call) -> Iterator[Order]:
        """Newest first."""
        symbol = call.text("symbol", "")
        for order in reversed(self.desk.book(call.account).orders.values()):
            if symbol in ("", order.market.symbol):
                yield order

    # -- TP/SL records ---------------------------------------------------------------------------------

    @route(f"POST {PATH}tpsl/place_order", trading=True, costs={"pair": 1})
    def place_record(self, call: Call) -> Any:
        position, record = self._position_of(call), self.rules.order_id(self.desk.number())
        legs = [
            self._leg(call, position, prefix, record)
            for prefix in ("sl", "tp")
            if call.text(f"{prefix}Price", "")
        ]
        if not legs:
            raise Answered(_refused(30006, "Please select TP or SL"))
        self.desk.place_linked(call.account, legs)
        return _ok({"orderId": record})

    @route(f"POST {PATH}tpsl/position/place_order", trading=True, costs={"pair": 1})
    def place_whole(self, call: Call) -> Any:
        """For all of a position, whatever that is when it fires; at market."""
        return self.place_record(call)

    @route(
        f"POST {PATH}tpsl/modify_order",
        f"POST {PATH}tpsl/position/modify_order",
        trading=True,
        costs={"pair": 1},
    )
    def modify_record(self, call: Call) -> Any:
        """By its number, or that of all of a position by the position's."""
        wanted, position = call.text("orderId", ""), call.text("positionId", "")
        for legs in self._records(call):
            whole = legs[0].ticket.close_position and self._hangs_on(call.account, legs[0]) == position
            if not _stands(legs) or (_record(legs[0]) != wanted if wanted else not whole):
                continue
            for leg in legs:
                prefix = "sl" if leg.ticket.type in STOPS else "tp"
                self.desk.amend(
                    call.account,
                    leg,
                    quantity=call.decimal_or_none(f"{prefix}Qty"),
                    price=call.decimal_or_none(f"{prefix}OrderPrice") if leg.price is not None else None,
                    trigger_price=call.decimal_or_none(f"{prefix}Price"),
                )
            return _ok({"orderId": _record(legs[0])})
        raise Rejected(Reason.UNKNOWN_ORDER)

    def _hangs_on(self, account: Account, leg: Order) -> str:
        """The number of its position: of what its entry opened, when it came with one."""
        known: str | None = leg.ticket.extra.get("position")
        return self._number_of(account, self.desk.position(account, leg)) if known is None else known

    def _leg(self, call: Call, position: Position, prefix: str, record: str) -> Ticket:
        trigger, side = call.decimal(f"{prefix}Price"), position.direction.exit_side
        last, rises = self.desk.bid(position.market), (prefix == "sl") == (side is Side.BUY)
        if (trigger <= last) if rises else (trigger >= last):
            raise Answered(_refused(*CROSSED[prefix == "sl", rises]))
        whole = call.path.endswith("tpsl/position/place_order")
        quantity = None if whole else call.decimal(f"{prefix}Qty")
        if quantity is not None and quantity > abs(position.quantity):
            raise Answered(_refused(30038, "TP/SL amount must be less than the size of the position."))
        limit = call.one_of(f"{prefix}OrderType", {"LIMIT": True, "MARKET": False}, "MARKET")
        return Ticket(
            call.text("symbol"),
            side,
            KINDS[prefix, limit],
            quantity=quantity,
            close_position=whole,
            price=call.decimal(f"{prefix}OrderPrice") if limit else None,
            trigger_price=trigger,
            trigger_by=call.one_of(f"{prefix}StopType", TRIGGERS, "MARK_PRICE"),
            rises=rises,
            reduce_only=position.side is None,
            position_bound=True,
            position_side=position.side,
            link=f"record {record}",
            extra={"record": record, "position": self._number_of(call.account, position), "effect": "GTC"},
        )

    @route(f"GET {PATH}tpsl/get_pending_orders", costs={"records": 1})
    def records(self, call: Call) -> Any:
        standing = (legs for legs in self._records(call) if _stands(legs))
        return _page(
            call, "", [_record_row(legs, self._hangs_on(call.account, legs[0])) for legs in standing]
        )

    @route(f"GET {PATH}tpsl/get_history_orders", costs={"ended_records": 1})
    def ended_records(self, call: Call) -> Any:
        ended = (legs for legs in self._records(call) if not _stands(legs))
        rows = [_ended_row(legs, self._hangs_on(call.account, legs[0])) for legs in ended]
        return _page(call, "orderList", rows)

    @route(f"POST {PATH}tpsl/cancel_order", trading=True, costs={"cancel_pair": 1})
    def cancel_record(self, call: Call) -> Any:
        wanted = call.text("orderId")
        for legs in self._records(call):
            if _record(legs[0]) == wanted and _stands(legs):
                self.desk.cancel(call.account, legs[0])
                return _ok({"orderId": wanted})
        raise Rejected(Reason.UNKNOWN_ORDER)

    def _records(self, call: Call) -> Iterator[list[Order]]:
        """The legs of each, newest first."""
        found: dict[str, list[Order]] = {}
        for order in self._listed(call):
            if _record(order):
                found.setdefault(_record(order), []).append(order)
        yield from found.values()

    # -- account ---------------------------------------------------------------------------------------

    @route(f"GET {PATH}account", costs={"account": 1})
    def account_row(self, call: Call) -> Any:
        account, desk, coin = call.account, self.desk, call.text("marginCoin")
        open_profit, locked = desk.unrealised(account, coin), desk.locked(account, coin)
        held = sum((self._margin(account, each) for each in desk.book(account).open_positions()), ZERO)
        row = {
            "available": account.total(desk.wallet, coin) - locked,
            "frozen": locked - held,
            "margin": held,
            "transfer": account.total(desk.wallet, coin) - locked,
            "crossUnrealizedPNL": open_profit,
            "isolationUnrealizedPNL": ZERO,
            "bonus": ZERO,
        }
        mode = MODE_OF[desk.book(account).position_mode]
        told = {name: text(amount) for name, amount in row.items()}
        return _ok([{"marginCoin": coin, "positionMode": mode} | told])

    def _margin(self, account: Account, position: Position) -> Decimal:
        return position.notional(position.entry_price) / self.desk.leverage(account, position.market)

    @route(f"GET {PATH}position/get_pending_positions", costs={"positions": 1})
    def positions(self, call: Call) -> Any:
        symbol = call.text("symbol", "")
        held = self.desk.book(call.account).open_positions()
        return _ok(
            [self._position_row(call.account, each) for each in held if symbol in ("", each.market.symbol)]
        )

    def _position_row(self, account: Account, position: Position) -> dict[str, Any]:
        """The side is a word of orders, whatever the documentation says."""
        bid = self.desk.bid(position.market)
        return {
            "positionId": self._number_of(account, position),
            "symbol": position.market.symbol,
            "qty": text(abs(position.quantity)),
            "entryValue": text(position.notional(position.entry_price)),
            "side": SIDE_OF[position.direction.entry_side],
            "positionMode": MODE_OF[self.desk.book(account).position_mode],
            "marginMode": MARGIN_OF[self.desk.margin_mode(account, position.market)],
            "leverage": int(self.desk.leverage(account, position.market)),
            "fees": "0",
            "funding": "0",
            "realizedPNL": text(position.realised),
            "margin": text(self._margin(account, position)),
            "unrealizedPNL": text(position.quantity * (bid - position.entry_price)),
            "liqPrice": "0",
            "marginRate": "0.01",
            "avgOpenPrice": text(position.entry_price),
            "ctime": str(position.updated_ms),
            "mtime": str(position.updated_ms),
        }

    def _numbered(self, account: Account) -> Iterator[tuple[Fill, str]]:
        """Each fill with the number of its position: that of the fill which opened it."""
        held: dict[tuple[str, Direction | None], Decimal] = {}
        numbers: dict[tuple[str, Direction | None], str] = {}
        for fill in self.desk.book(account).fills:
            slot = (fill.symbol, fill.position_side)
            before = held.get(slot, ZERO)
            held[slot] = before + (fill.quantity if fill.side is Side.BUY else -fill.quantity)
            if not before or (held[slot] and (held[slot] > 0) != (before > 0)):
                numbers[slot] = self.rules.order_id(fill.id)
            yield fill, numbers[slot]

    def _number_of(self, account: Account, position: Position) -> str:
        number = ""
        for fill, its_number in self._numbered(account):
            if (fill.symbol, fill.position_side) == (position.market.symbol, position.side):
                number = its_number
        return number

    def _position_of(self, call: Call) -> Position:
        wanted, symbol = call.text("positionId"), call.text("symbol")
        for position in self.desk.book(call.account).open_positions():
            if (position.market.symbol, self._number_of(call.account, position)) == (symbol, wanted):
                return position
        raise Answered(_refused(*NO_POSITION))

    @route(f"GET {PATH}account/get_leverage_margin_mode", costs={"account": 1})
    def leverage(self, call: Call) -> Any:
        market = self.desk.market(call.text("symbol"))
        return _ok(
            {
                "symbol": market.symbol,
                "marginCoin": call.text("marginCoin"),
                "leverage": int(self.desk.leverage(call.account, market)),
                "marginMode": MARGIN_OF[self.desk.margin_mode(call.account, market)],
            }
        )

    @route(f"POST {PATH}account/change_leverage", costs={"settings": 1})
    def change_leverage(self, call: Call) -> Any:
        if any(each.open for each in self._listed(call)):
            raise Rejected(Reason.HAS_OPEN_ORDERS)
        self.desk.set_leverage(call.account, call.text("symbol"), D(call.integer("leverage")))
        return _ok([{name: call.params[name] for name in ("marginCoin", "symbol", "leverage")}])

    @route(f"POST {PATH}account/change_margin_mode", costs={"settings": 1})
    def change_margin_mode(self, call: Call) -> Any:
        market, mode = self.desk.market(call.text("symbol")), call.one_of("marginMode", MARGIN)
        if self.desk.margin_mode(call.account, market) is not mode:
            self.desk.set_margin_mode(call.account, market.symbol, mode)
        return _ok([{name: call.params[name] for name in ("marginCoin", "symbol", "marginMode")}])

    @route(f"POST {PATH}account/change_position_mode", costs={"settings": 1})
    def change_position_mode(self, call: Call) -> Any:
        mode = call.one_of("positionMode", MODES)
        if self.desk.book(call.account).position_mode is not mode:
            self.desk.set_position_mode(call.account, mode)
        return _ok([{"positionMode": MODE_OF[mode]}])

    # -- how orders are written ------------------------------------------------------------------------

    def _common(self, account: Account, order: Order) -> dict[str, Any]:
        hedged, closes = order.ticket.position_side is not None, order.ticket.exits
        limit = order.ticket.price is not None
        return {
            "orderId": order.live_id or order.id,
            "symbol": order.market.symbol,
            "positionMode": "HEDGE" if hedged else "ONE_WAY",
            "marginMode": MARGIN_OF[self.desk.margin_mode(account, order.market)],
            "leverage": int(self.desk.leverage(account, order.market)),
            "side": SIDE_OF[order.side.opposite if closes else order.side],
            "orderType": "LIMIT" if limit else "MARKET",
            "effect": order.ticket.extra["effect"],
            "clientId": order.client_id,
            "reduceOnly": order.ticket.reduces,
        }

    def _order_row(self, account: Account, order: Order) -> dict[str, Any]:
        return self._common(account, order) | {
            "qty": text(order.quantity),
            "tradeQty": text(order.filled),
            "price": text(order.price) if order.price is not None else "",
            "status": _status(order),
            "fee": text(sum(order.fees().values(), ZERO)),
            "realizedPNL": text(sum((fill.realised for fill in order.fills), ZERO)),
            "ctime": order.triggered_ms or order.created_ms,
            "mtime": order.updated_ms,
        }

    def _trade_row(self, account: Account, fill: Fill, number: str) -> dict[str, Any]:
        order = self.desk.order(account, order_id=fill.order_id)
        assert order is not None
        return self._common(account, order) | {
            "tradeId": str(fill.id),
            "positionId": number,
            "qty": text(fill.quantity),
            "price": text(fill.price),
            "fee": text(fill.fee),
            "realizedPNL": text(fill.realised),
            "ctime": fill.time_ms,
            "roleType": "MAKER" if fill.maker else "TAKER",
        }


class BitunixSpot(BitunixFrame):
    """What was seen live of it is told at the top of the venue's file. The documentation's word for the volume of market
    orders (what a buy spends) is taken here."""

    name, product = "Bitunix", Product.SPOT
    markets = tuple(_pair(*coin) for coin in COINS)
    limits = (
        Limit("market", "market", 10, 1, Owner.ADDRESS),
        *(Limit(name, name, 10, 1) for name in ("create", "cancel")),
        Limit("reads", "reads", 20, 1),
    )
    rules = Rules(
        maker_fee=D("0.0008"),
        taker_fee=D("0.001"),
        wallet="spot",
        client_ids=ClientIds.REUSABLE,
        unfilled=OrderStatus.CANCELLED,
        order_id=lambda number: str(2_105_000_000_000_000_000 + number),
    )

    def writes(self, call: Call) -> bool:
        """Lists are asked for with POST too."""
        return call.path.startswith((f"{SPOT_PATH}order/place_order", f"{SPOT_PATH}order/cancel"))

    def refuse(self, reason: Reason, detail: str, call: Call) -> Reply:
        if reason is Reason.UNKNOWN_PATH:
            return Reply(b"404 page not found", 404)
        if reason in PLACING:
            code, words = PLACING[reason]
            told = {"orderId": None, "placeStatus": 0, "placeCode": code, "placeMsg": words}
            return Reply(_done(told))
        if reason in (Reason.INTERNAL, Reason.MAINTENANCE):
            return Reply(b"Service Unavailable", 500 if reason is Reason.INTERNAL else 503)
        code, words = SPOT_REFUSALS.get(reason, ("2", "result.parameter.error"))
        return Reply({"code": code, "msg": words, "data": None, "success": False})

    def throttled(self, exceeded: Exceeded, call: Call) -> Reply:
        return self.refuse(Reason.BANNED if exceeded.banned else Reason.THROTTLED, "", call)

    # -- public ----------------------------------------------------------------------------------------

    @route(f"GET {SPOT_PATH}common/coin_pair/list", public=True, costs={"market": 1})
    def pairs(self, call: Call) -> Any:
        return _done([_spot_pair_row(number, each) for number, each in enumerate(self.markets)])

    @route(f"GET {SPOT_PATH}market/last_price", public=True, costs={"market": 1})
    def last_price(self, call: Call) -> Any:
        moment = datetime.fromtimestamp(call.now_ms // 1000, UTC)
        told = _done(text(self.desk.bid(self._market(call))))
        return Reply(told, headers={"date": format_datetime(moment, usegmt=True)})

    @route(f"GET {SPOT_PATH}market/depth", public=True, costs={"market": 1})
    def depth(self, call: Call) -> Any:
        market = self._market(call)
        bid, ask = text(self.desk.bid(market)), text(self.desk.ask(market))
        return _done({"asks": [{"price": ask, "volume": "1000"}], "bids": [{"price": bid, "volume": "1000"}]})

    def _market(self, call: Call) -> Market:
        return self.desk.market(call.text("symbol").upper())

    # -- orders ----------------------------------------------------------------------------------------

    @route(f"POST {SPOT_PATH}order/place_order", trading=True, costs={"create": 1})
    def place(self, call: Call) -> Any:
        side = call.one_of("side", SPOT_SIDES)
        kind = call.one_of("type", {"1": OrderType.LIMIT, "2": OrderType.MARKET})
        spends = kind is OrderType.MARKET and side is Side.BUY
        volume = call.decimal("volume")
        ticket = Ticket(
            self._market(call).symbol,
            side,
            kind,
            quantity=None if spends else volume,
            quote_quantity=volume if spends else None,
            price=call.decimal("price") if kind is OrderType.LIMIT else None,
            client_id=call.text("clientId", ""),
        )
        order = self.desk.place(call.account, ticket)
        echo = {name: call.params.get(name) for name in ("side", "type", "volume", "price", "symbol")}
        return _done(echo | {"orderId": order.id, "placeStatus": 1, "placeCode": None, "placeMsg": None})

    @route(f"POST {SPOT_PATH}order/place_order/batch", trading=True, costs={"create": 1})
    def place_several(self, call: Call) -> Any:
        """Each is answered like one alone."""
        told = self.each(call, call.params.get("orderList"), f"{SPOT_PATH}order/place_order", self.place)
        return _done([each["data"] for each in told])

    @route(f"POST {SPOT_PATH}order/cancel", trading=True, costs={"cancel": 1})
    def cancel(self, call: Call) -> Any:
        """What does not stand is answered like the rest."""
        for each in call.params["orderIdList"]:
            order = self.desk.order(call.account, order_id=str(each.get("orderId") or "none"))
            if order is not None and order.open and order.market.symbol == each.get("symbol"):
                self.desk.cancel(call.account, order)
        return _done(None)

    @route(f"GET {SPOT_PATH}order/detail", costs={"reads": 1})
    def detail(self, call: Call) -> Any:
        order = self.desk.order(call.account, order_id=call.text("orderId"))
        return _done(None if order is None else _spot_row(order))

    @route(f"POST {SPOT_PATH}order/pending/list", costs={"reads": 1})
    def pending(self, call: Call) -> Any:
        return _done([_spot_row(each) for each in self._listed(call) if each.open])

    @route(f"POST {SPOT_PATH}order/history/page", costs={"reads": 1})
    def history(self, call: Call) -> Any:
        since = datetime.fromisoformat(call.text("startTime", "1970-01-01T00:00:00Z"))
        since_ms = int(since.timestamp() * 1000)
        rows = [
            _spot_row(each) for each in self._listed(call) if not each.open and each.created_ms >= since_ms
        ]
        page, size = call.integer("page", 1), min(call.integer("pageSize", 10), LONGEST_LIST)
        return _done({"data": rows[(page - 1) * size : page * size], "total": str(len(rows))})

    @route(f"POST {SPOT_PATH}order/deal/list", costs={"reads": 1})
    def deals(self, call: Call) -> Any:
        symbol, number = self._market(call).symbol, call.text("orderId")
        fills = [each for each in self.desk.book(call.account).fills if each.order_id == number]
        return _done([_deal_row(each) for each in fills if each.symbol == symbol])

    def _listed(self, call: Call) -> list[Order]:
        """Newest first."""
        market = self._market(call)
        found = self.desk.book(call.account).orders.values()
        return [order for order in reversed(found) if order.market is market]

    @route(f"GET {SPOT_PATH}user/account", costs={"reads": 1})
    def wallet(self, call: Call) -> Any:
        """Numbers, and null where there is nothing."""
        rows = []
        for coin, total in call.account.wallets[self.rules.wallet].items():
            free = call.account.free(self.rules.wallet, coin)
            rows.append({"coin": coin, "balance": free, "balanceLocked": total - free})
        return _done(rows or None)


def _signature(call: Call, account: Account, nonce: str, moment: str) -> str:
    joined = "".join(f"{name}{call.query_params[name]}" for name in sorted(call.query_params))
    signed = f"{nonce}{moment}{account.key}{joined}".encode() + call.body
    inner = hashlib.sha256(signed).hexdigest()
    return hashlib.sha256(f"{inner}{account.secret}".encode()).hexdigest()


def _ok(data: Any) -> dict[str, Any]:
    return {"code": 0, "data": data, "msg": "Success"}


def _refused(code: int, words: str, status: int = 200) -> Reply:
    return Reply({"code": code, "data": None, "msg": words}, status)


def _page(call: Call, name: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
    skip, limit = call.integer("skip", 0), min(call.integer("limit", 10), LONGEST_LIST)
    found = rows[skip : skip + limit]
    return _ok({name: found, "total": len(rows)} if name else found)


def _record(order: Order) -> str:
    """The number of the record an order is a leg of; "" for none."""
    return str(order.ticket.extra.get("record", ""))


def _stands(legs: list[Order]) -> bool:
    return any(leg.open and leg.waiting for leg in legs)


def _status(order: Order) -> str:
    match order.status:
        case OrderStatus.OPEN:
            return "PART_FILLED" if order.filled else "NEW"
        case OrderStatus.FILLED:
            return "FILLED"
    return "PART_FILLED_CANCELED" if order.filled else "CANCELED"


def _record_row(legs: list[Order], position: str) -> dict[str, Any]:
    market = legs[0].market
    row: dict[str, Any] = {
        "id": _record(legs[0]),
        "positionId": position,
        "symbol": market.symbol,
        "base": market.base,
        "quote": market.quote,
    }
    row |= {f"{prefix}{name}": None for prefix in ("tp", "sl") for name in ("Price", "Qty", "OrderPrice")}
    for leg in legs:
        prefix = "sl" if leg.ticket.type in STOPS else "tp"
        row |= {
            f"{prefix}Price": text(leg.trigger_price),
            f"{prefix}StopType": TRIGGER_OF[leg.ticket.trigger_by],
            f"{prefix}OrderType": "MARKET" if leg.ticket.price is None else "LIMIT",
            f"{prefix}OrderPrice": leg.ticket.price and text(leg.ticket.price),
            f"{prefix}Qty": text(leg.ticket.quantity),
        }
    return row


def _ended_row(legs: list[Order], position: str) -> dict[str, Any]:
    triggered = next((leg.triggered_ms for leg in legs if leg.triggered_ms), 0)
    return _record_row(legs, position) | {
        "status": "TRIGGERED" if triggered else "CANCELED",
        "ctime": legs[0].created_ms,
        "triggerTime": triggered,
    }


def _done(data: Any) -> dict[str, Any]:
    """On spot the code is text."""
    return {"code": "0", "msg": "result.success", "data": data, "success": True}


def _spot_row(order: Order) -> dict[str, Any]:
    ticket = order.ticket
    match order.status:
        case OrderStatus.OPEN:
            status = 3 if order.filled else 1
        case OrderStatus.FILLED:
            status = 2
        case _:
            status = 7 if order.filled else 4
    asked = order.quantity if ticket.quote_quantity is None else ticket.quote_quantity
    return {
        "orderId": order.id,
        "clientId": order.client_id or None,
        "symbol": order.market.symbol,
        "base": order.market.base,
        "quote": order.market.quote,
        "side": SPOT_SIDE_OF[order.side],
        "type": 1 if ticket.type is OrderType.LIMIT else 2,
        "price": text(order.price) if order.price is not None else "0",
        "volume": text(asked),
        "leftVolume": text((order.quantity or ZERO) - order.filled) if order.open else "0",
        "dealVolume": text(order.filled),
        "dealAmount": text(order.quote_filled),
        "status": status,
        "ctime": _iso(order.created_ms),
        "utime": _iso(order.updated_ms),
    }


def _deal_row(fill: Fill) -> dict[str, Any]:
    return {
        "id": str(fill.id),
        "orderId": fill.order_id,
        "price": text(fill.price),
        "volume": text(fill.quantity),
        "fee": text(fill.fee),
        "feeCoin": fill.fee_asset,
        "role": 1 if fill.maker else 2,
        "ctime": _iso(fill.time_ms),
    }


def _iso(moment_ms: int) -> str:
    return f"{datetime.fromtimestamp(moment_ms // 1000, UTC):%Y-%m-%dT%H:%M:%SZ}"


def _spot_pair_row(number: int, market: Market) -> dict[str, Any]:
    return {
        "id": number + 1,
        "symbol": market.symbol.lower(),
        "base": market.base.lower(),
        "quote": market.quote.lower(),
        "basePrecision": decimals_of(market.step),
        "quotePrecision": decimals_of(market.tick),
        "precisions": [text(market.tick), text(market.tick * 10)],
        "minVolume": text(market.min_quantity),
        "minPrice": text(market.min_notional),
        "minBuyPriceOffset": "-0.8",
        "maxSellPriceOffset": "50",
        "isOpen": 1,
    }


def _pair_row(market: Market) -> dict[str, Any]:
    return {
        "symbol": market.symbol,
        "base": market.base,
        "quote": market.quote,
        "minTradeVolume": text(market.min_quantity),
        "minBuyPriceOffset": "-0.95",
        "maxSellPriceOffset": "100",
        "maxLimitOrderVolume": text(market.max_quantity),
        "maxMarketOrderVolume": text(market.max_market_quantity),
        "basePrecision": decimals_of(market.step),
        "quotePrecision": decimals_of(market.tick),
        "maxLeverage": int(market.max_leverage),
        "minLeverage": 1,
        "defaultLeverage": 20,
        "defaultMarginMode": "CROSS",
        "symbolStatus": "OPEN",
        "isApiSupported": True,
    }
