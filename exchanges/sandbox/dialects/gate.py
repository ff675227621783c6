"""Gate spot as its clients see it: trigger orders are records of their own that fire plain orders under other ids.
https://www.gate.com/docs/developers/apiv4/en/#spot."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from exchanges.sandbox.dialect import route
from exchanges.sandbox.dialects.gate_frame import (
    COINS,
    LIMITS,
    MONTH_SECONDS,
    SIDES,
    TIMES,
    UNUSED,
    Gate,
    checked_text,
    error_answer,
    finish_word,
    in_batch,
    listed_body,
    page_of,
    part_of,
    record_open,
    rules_of,
    still,
)
from exchanges.sandbox.model import (
    ZERO,
    Fill,
    Market,
    Order,
    Reason,
    Rejected,
    Ticket,
    decimals_of,
    text,
)
from exchanges.sandbox.wire import Call
from exchanges.types import (
    OrderStatus,
    OrderType,
    Product,
    Side,
    TimeInForce,
)

D = Decimal


def _pair(base: str, coin: str, tick: str, step: str) -> Market:
    return Market(f"{base}_{coin}", base, coin, Product.SPOT, D(tick), D(step), D(step), D(3))


PAIRS = (
    *(_pair(base, "USDT", tick, step) for base, tick, step, _, _ in COINS),
    _pair("BTC", "USDC", "0.1", "0.00001"),
)


class GateSpot(Gate):
    name, product, markets = "Gate", Product.SPOT, PAIRS
    limits = LIMITS
    rules = rules_of("spot", "0.002", "0.002")

    @route("GET /api/v4/spot/currency_pairs", public=True, costs={"instruments": 1})
    def pairs(self, call: Call) -> Any:
        return [_pair_row(market) for market in self.markets]

    @route("GET /api/v4/spot/currency_pairs/{pair}", public=True, costs={"instruments": 1})
    def pair(self, call: Call) -> Any:
        return _pair_row(self.desk.market(call.text("pair")))

    @route(
        "GET /api/v4/margin/currency_pairs",
        "GET /api/v4/margin/uni/currency_pairs",
        "GET /api/v4/margin/cross/currencies",
        public=True,
        costs={},
    )
    def nothing(self, call: Call) -> Any:
        return []

    @route("GET /api/v4/spot/currencies", "GET /api/v4/spot/currencies/{currency}", public=True, costs={})
    def currencies(self, call: Call) -> Any:
        """Without chains: nothing is deposited or withdrawn."""
        names = sorted({name for market in self.markets for name in (market.base, market.quote)})
        closed = dict.fromkeys(("withdraw_disabled", "withdraw_delayed", "deposit_disabled"), True)
        rows = [
            {
                "currency": name,
                "name": name,
                "delisted": False,
                **closed,
                "trade_disabled": False,
                "chains": [],
            }
            for name in names
        ]
        if wanted := call.text("currency", ""):
            found = [row for row in rows if row["currency"] == wanted]
            return found[0] if found else error_answer("INVALID_CURRENCY", f"Invalid currency {wanted}")
        return rows

    @route("GET /api/v4/spot/order_book", public=True, costs={"tickers": 1})
    def order_book(self, call: Call) -> Any:
        levels = self.book_of(call, self.desk.market(call.text("currency_pair")))
        told = {name: [[price, "1000"] for price in prices] for name, prices in levels.items()}
        return {"id": call.now_ms, "current": call.now_ms, "update": call.now_ms, **told}

    @route("GET /api/v4/spot/fee", "GET /api/v4/spot/batch_fee")
    def fee(self, call: Call) -> Any:
        rates = {"taker_fee": text(self.rules.taker_fee), "maker_fee": text(self.rules.maker_fee)}
        row = {
            "user_id": 1,
            **rates,
            "gt_discount": False,
            "gt_taker_fee": "0",
            "gt_maker_fee": "0",
            "loan_fee": "0",
        }
        if call.path.endswith("batch_fee"):
            return dict.fromkeys(call.text("currency_pairs").split(","), row)
        return row

    @route("GET /api/v4/spot/tickers", public=True, costs={"tickers": 1})
    def tickers(self, call: Call) -> Any:
        wanted = call.text("currency_pair", "")
        markets = [self.desk.market(wanted)] if wanted else self.markets
        return [
            {
                "currency_pair": market.symbol,
                "last": text(self.desk.bid(market)),
                "lowest_ask": text(self.desk.ask(market)),
                "highest_bid": text(self.desk.bid(market)),
                "lowest_size": "1000",
                "highest_size": "1000",
                **still(text(self.desk.bid(market))),
                "base_volume": "0",
                "quote_volume": "0",
            }
            for market in markets
        ]

    # -- plain orders ----------------------------------------------------------------------------------

    def forgotten(self, order: Order, *, by_text: bool) -> bool:
        return by_text and not self.desk.remembers(order, 3600)

    @route("GET /api/v4/spot/my_trades", costs={"fills": 1})
    def my_trades(self, call: Call) -> Any:
        return page_of(call, [_spot_trade(*each) for each in self.traded(call, "currency_pair")])

    @route("POST /api/v4/spot/orders", trading=True, costs={"spot_orders": 1})
    def place(self, call: Call) -> Any:
        return _spot_row(self.desk.place(call.account, self._plain_ticket(call)))

    @route("POST /api/v4/spot/batch_orders", trading=True, costs={"spot_orders": 1})
    def place_batch(self, call: Call) -> Any:
        return [_named(row) for row in self.place_all(call, self._plain_ticket, self.place)]

    def _plain_ticket(self, call: Call) -> Ticket:
        side, force = call.one_of("side", SIDES), call.text("time_in_force", "gtc")
        limit = call.one_of("type", {"limit": True, "market": False}, "limit")
        if not limit and force not in ("ioc", "fok"):
            raise Rejected(Reason.BAD_PARAMETER, "time_in_force")
        amount, by_quote = call.decimal("amount"), not limit and side is Side.BUY
        return Ticket(
            call.text("currency_pair"),
            side,
            OrderType.LIMIT if limit else OrderType.MARKET,
            quantity=None if by_quote else amount,
            quote_quantity=amount if by_quote else None,
            price=call.decimal("price") if limit else None,
            time_in_force=call.one_of("time_in_force", TIMES, "gtc"),
            post_only=force == "poc",
            client_id=checked_text(call),
            extra={"tif": force},
        )

    @route("PATCH /api/v4/spot/orders/{order_id}", trading=True, costs={"spot_orders": 1})
    def amend(self, call: Call) -> Any:
        """As gate-api 7.2.161, Gate's own client, has it (SpotApi.amend_order): less than what is filled cancels the order.
        That just as much does too is unconfirmed."""
        order = self.plain(call)
        return _spot_row(
            self.amended(call, order, call.decimal_or_none("amount"), call.decimal_or_none("price"))
        )

    @route("POST /api/v4/spot/amend_batch_orders", trading=True, costs={"spot_orders": 1})
    def amend_batch(self, call: Call) -> Any:
        asked = listed_body(call)
        told = self.each(call, asked, call.path, self.amend)
        return [_named(in_batch(answer, order)) for answer, order in zip(told, asked, strict=True)]

    @route("POST /api/v4/spot/cancel_batch_orders", trading=True, costs={"cancels": 1})
    def cancel_batch(self, call: Call) -> Any:
        """As gate-api 7.2.161, Gate's own client, has it (CancelOrderResult)."""
        asked = [{**each, "order_id": each.get("id")} for each in listed_body(call)]
        told = self.each(call, asked, call.path, self.cancel)
        return [
            {
                "currency_pair": order.get("currency_pair"),
                "id": order.get("id"),
                "text": answer.get("text", ""),
            }
            | {
                "succeeded": "label" not in answer,
                "label": answer.get("label", ""),
                "message": answer.get("message", ""),
            }
            for order, answer in zip(asked, told, strict=True)
        ]

    @route("GET /api/v4/spot/orders/{order_id}", costs={"order_reads": 1})
    def order(self, call: Call) -> Any:
        return _spot_row(self.plain(call))

    @route("DELETE /api/v4/spot/orders/{order_id}", trading=True, costs={"cancels": 1})
    def cancel(self, call: Call) -> Any:
        self.desk.market(call.text("currency_pair"))
        return _spot_row(self.desk.cancel(call.account, self.plain(call)))

    @route("GET /api/v4/spot/orders", costs={"order_reads": 1})
    def orders(self, call: Call) -> Any:
        rows = [_spot_row(order) for order in self.listed(call, "currency_pair", records=False)]
        return page_of(call, rows)

    @route("GET /api/v4/spot/open_orders", costs={"order_reads": 1})
    def open_orders(self, call: Call) -> Any:
        groups: dict[str, list[Any]] = {}
        for order in self.listed(call, "currency_pair", records=False):
            groups.setdefault(order.market.symbol, []).append(_spot_row(order))
        return [
            {"currency_pair": symbol, "total": len(rows), "orders": page_of(call, rows)}
            for symbol, rows in groups.items()
        ]

    @route("DELETE /api/v4/spot/orders", trading=True, costs={"cancels": 1})
    def cancel_all(self, call: Call) -> Any:
        found = self.listed(call, "currency_pair", records=False)
        return [_spot_row(order) | {"succeeded": True} for order in self.cancelled(call, found)]

    # -- trigger orders --------------------------------------------------------------------------------

    @route("POST /api/v4/spot/price_orders", trading=True, costs={"triggers": 1})
    def place_trigger(self, call: Call) -> Any:
        put, trigger = part_of(call, "put"), part_of(call, "trigger")
        if put.text("type", "limit") != "limit":
            raise Rejected(Reason.BAD_PARAMETER, "put.type")
        if not 60 <= trigger.integer("expiration") <= MONTH_SECONDS:
            raise Rejected(Reason.BAD_PARAMETER, "trigger.expiration invalid range")
        market, side = self.desk.market(call.text("market")), put.one_of("side", SIDES)
        rises, force = trigger.one_of("rule", {">=": True, "<=": False}), put.text("time_in_force", "gtc")
        self.check_crossed(market, trigger.decimal("price"), rises=rises)
        stop = rises == (side is Side.BUY)
        ticket = Ticket(
            market.symbol,
            side,
            OrderType.STOP_LIMIT if stop else OrderType.TAKE_PROFIT_LIMIT,
            quantity=put.decimal("amount"),
            price=put.decimal("price"),
            trigger_price=trigger.decimal("price"),
            rises=rises,
            time_in_force=put.one_of(
                "time_in_force", {"gtc": TimeInForce.GTC, "ioc": TimeInForce.IOC}, "gtc"
            ),
            client_id=put.text("text", "") or trigger.text("text", ""),
            extra={"tif": force, "expiration": trigger.integer("expiration")},
        )
        return {"id": int(self.desk.place(call.account, ticket).id)}

    @route("GET /api/v4/spot/price_orders", costs={"trigger_reads": 1})
    def triggers(self, call: Call) -> Any:
        return page_of(call, [_spot_record(order) for order in self.listed(call, "market", records=True)])

    @route("GET /api/v4/spot/price_orders/{order_id}", costs={"trigger_reads": 1})
    def trigger(self, call: Call) -> Any:
        return _spot_record(self.record(call))

    @route("DELETE /api/v4/spot/price_orders/{order_id}", trading=True, costs={"cancels": 1})
    def cancel_trigger(self, call: Call) -> Any:
        return _spot_record(self.desk.cancel(call.account, self.waiting(call)))

    @route("DELETE /api/v4/spot/price_orders", trading=True, costs={"cancels": 1})
    def cancel_triggers(self, call: Call) -> Any:
        found = self.listed(call, "market", records=True)
        return [_spot_record(order) for order in self.cancelled(call, found)]

    @route("GET /api/v4/spot/accounts")
    def accounts(self, call: Call) -> Any:
        account, wallet = call.account, self.rules.wallet
        return [
            {
                "currency": coin,
                "available": text(account.free(wallet, coin)),
                "locked": text(account.locked(wallet, coin)),
                "update_id": 1,
            }
            for coin in account.wallets[wallet]
        ]


def _pair_row(market: Market) -> dict[str, Any]:
    return {
        "id": market.symbol,
        "base": market.base,
        "quote": market.quote,
        "fee": "0.2",
        "min_base_amount": text(market.min_quantity),
        "min_quote_amount": text(market.min_notional),
        "amount_precision": decimals_of(market.step),
        "precision": decimals_of(market.tick),
        "trade_status": "tradable",
        "type": "normal",
    }


def _spot_row(order: Order) -> dict[str, Any]:
    ticket, paid = order.ticket, order.fees()
    by_quote = ticket.quote_quantity is not None
    amount = ticket.quote_quantity if by_quote else order.quantity
    left = (ticket.quote_quantity or ZERO) - order.quote_filled if by_quote else order.remaining
    states = {OrderStatus.OPEN: "open", OrderStatus.FILLED: "closed"}
    return {
        "id": order.live_id or order.id,
        "text": order.client_id or "apiv4",
        "create_time": str(order.created_ms // 1000),
        "update_time": str(order.updated_ms // 1000),
        "create_time_ms": order.created_ms,
        "update_time_ms": order.updated_ms,
        "status": states.get(order.status, "cancelled"),
        "currency_pair": order.market.symbol,
        "type": "limit" if order.price is not None else "market",
        "account": "spot",
        "side": order.side.value,
        "amount": text(amount),
        "price": text(order.price),
        "time_in_force": ticket.extra["tif"],
        "iceberg": "0",
        "left": text(left),
        "filled_amount": text(order.filled),
        "fill_price": text(order.quote_filled),
        "filled_total": text(order.quote_filled),
        "avg_deal_price": text(order.average_price),
        "fee": text(sum(paid.values(), ZERO)),
        "fee_currency": next(iter(paid), order.market.base if order.side is Side.BUY else order.market.quote),
        "point_fee": "0",
        "gt_fee": "0",
        "gt_maker_fee": "0",
        "gt_taker_fee": "0",
        "gt_discount": False,
        "rebated_fee": "0",
        "rebated_fee_currency": order.market.quote,
        **UNUSED,
        "finish_as": "open" if order.open else finish_word(order),
    }


def _named(row: dict[str, Any]) -> dict[str, Any]:
    """Of a batch, as gate-api 7.2.161, Gate's own client, has it (BatchOrder): the id is told twice."""
    return {"message": "", **row, "order_id": row.get("id", "")}


def _spot_trade(order: Order, fill: Fill) -> dict[str, Any]:
    return {
        "id": str(fill.id),
        "create_time": str(fill.time_ms // 1000),
        "create_time_ms": f"{fill.time_ms}.000000",
        "currency_pair": order.market.symbol,
        "side": fill.side.value,
        "role": "maker" if fill.maker else "taker",
        "amount": text(fill.quantity),
        "price": text(fill.price),
        "order_id": order.live_id or order.id,
        "fee": text(fill.fee),
        "fee_currency": fill.fee_asset,
        "point_fee": "0",
        "gt_fee": "0",
        "amend_text": "-",
        "sequence_id": str(fill.id),
        "deal": text(fill.quantity * fill.price),
        "text": order.client_id or "apiv4",
    }


def _spot_record(order: Order) -> dict[str, Any]:
    ticket = order.ticket
    fired = order.triggered_ms is not None and order.status is not OrderStatus.REJECTED
    ends = {OrderStatus.REJECTED: "failed", OrderStatus.EXPIRED: "expired"}
    status = "open" if record_open(order) else "finish" if fired else ends.get(order.status, "cancelled")
    return {
        "id": int(order.id),
        "user": 1,
        "market": order.market.symbol,
        "put": {
            "type": "limit",
            "side": order.side.value,
            "price": text(order.price),
            "amount": text(order.quantity),
            "account": "normal",
            "time_in_force": ticket.extra["tif"],
            "text": order.client_id,
        },
        "trigger": {
            "price": text(order.trigger_price),
            "rule": ">=" if ticket.trigger_rises else "<=",
            "expiration": ticket.extra["expiration"],
        },
        "status": status,
        "fired_order_id": int(order.live_id) if fired else 0,
        "reason": "",
        "ctime": order.created_ms // 1000,
        "ftime": 0 if status == "open" else order.updated_ms // 1000,
    }
