"""Deribit without the orders: markets, prices, positions, margins, balances. https://docs.deribit.com/ (read 2026-11-22)."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from exchanges.sandbox.dialect import route
from exchanges.sandbox.dialects.deribit_answers import KIND_OF, SIDES
from exchanges.sandbox.dialects.deribit_frame import API, DeribitFrame, ok
from exchanges.sandbox.engine import Desk
from exchanges.sandbox.ledger import Position
from exchanges.sandbox.model import ZERO, Market, Reason, Rejected
from exchanges.sandbox.wire import Call
from exchanges.types import Product

D = Decimal
WALLET = "deribit"
#: products that have positions
FUTURES = (Product.LINEAR, Product.INVERSE)


class DeribitAccount(DeribitFrame):
    # -- public ----------------------------------------------------------------------------------------

    @route(f"GET {API}/public/get_time", public=True, costs={"public": 1})
    def time(self, call: Call) -> Any:
        return ok(call, call.now_ms)

    @route(f"GET {API}/public/test", public=True, costs={"public": 1})
    def version(self, call: Call) -> Any:
        return ok(call, {"version": "1.2.26"})

    @route(f"GET {API}/public/status", public=True, costs={"public": 1})
    def status(self, call: Call) -> Any:
        return ok(call, {"locked": "false", "locked_indices": []})

    @route(f"GET {API}/public/get_currencies", public=True, costs={"public": 1})
    def currencies(self, call: Call) -> Any:
        common = {
            "fee_precision": 4,
            "min_confirmations": 1,
            "withdrawal_fee": ZERO,
            "min_withdrawal_fee": ZERO,
            "in_cross_collateral_pool": False,
        }
        assets = dict.fromkeys(
            [each.base for each in self._markets()] + [each.quote for each in self._markets()]
        )
        return ok(
            call, [{"currency": each, "currency_long": each, "coin_type": each, **common} for each in assets]
        )

    @route(f"GET {API}/public/get_instruments", public=True, costs={"public": 1})
    def instruments(self, call: Call) -> Any:
        kind, currency = call.text("kind", ""), call.text("currency", "any")
        rows = [self._instrument(each) for each in self._markets() if kind in ("", KIND_OF[each.product])]
        return ok(
            call,
            [
                row
                for row in rows
                if currency in ("any", row.get("settlement_currency"), row["base_currency"])
            ],
        )

    def _markets(self) -> Iterator[Market]:
        for desk in self.desks.values():
            yield from desk.markets.values()

    def _instrument(self, market: Market) -> dict[str, Any]:
        rules, futures = self.desks[market.product].rules, market.product is not Product.SPOT
        row = {
            "instrument_name": market.symbol,
            "kind": KIND_OF[market.product],
            "base_currency": market.base,
            "counter_currency": market.quote,
            "quote_currency": market.quote,
            "tick_size": market.tick,
            "tick_size_steps": [],
            "contract_size": market.contract_size if market.inverse else market.step,
            "min_trade_amount": market.min_quantity * market.contract_size,
            "maker_commission": rules.maker_fee,
            "taker_commission": rules.taker_fee,
            "is_active": True,
            "state": "open",
            "creation_timestamp": 1649233180000,
            "expiration_timestamp": 32503708800000,
            "price_index": f"{market.base}_{market.quote}".lower(),
            "underlying_type": "crypto",
        }
        perpetual = {
            "settlement_currency": market.settle,
            "settlement_period": "perpetual",
            "instrument_type": "reversed" if market.inverse else "linear",
            "max_leverage": int(market.max_leverage),
        }
        return row | (perpetual if futures else {})

    @route(f"GET {API}/public/get_instrument", public=True, costs={"public": 1})
    def instrument(self, call: Call) -> Any:
        return ok(call, self._instrument(self._traded(call.text("instrument_name"))[1]))

    @route(f"GET {API}/public/get_index_price", public=True, costs={"public": 1})
    def index_price(self, call: Call) -> Any:
        wanted = call.text("index_name").upper().replace("_", "/")
        market = next((each for each in self._markets() if each.pair == wanted), None)
        if market is None:
            raise Rejected(Reason.BAD_PARAMETER, "index_name")
        price = self.desks[market.product].bid(market)
        return ok(call, {"index_price": price, "estimated_delivery_price": price})

    @route(f"GET {API}/public/ticker", public=True, costs={"public": 1})
    def ticker(self, call: Call) -> Any:
        return ok(call, self._prices(call, *self._traded(call.text("instrument_name"))))

    @route(f"GET {API}/public/get_order_book", public=True, costs={"public": 1})
    def order_book(self, call: Call) -> Any:
        desk, market = self._traded(call.text("instrument_name"))
        levels = {"bids": [[desk.bid(market), 1]], "asks": [[desk.ask(market), 1]], "change_id": call.now_ms}
        return ok(call, self._prices(call, desk, market) | levels)

    @staticmethod
    def _prices(call: Call, desk: Desk, market: Market) -> dict[str, Any]:
        last, ask = desk.bid(market), desk.ask(market)
        prices = dict.fromkeys(
            ("best_bid_price", "last_price", "mark_price", "index_price", "settlement_price", "min_price"),
            last,
        )
        day = dict.fromkeys(("volume", "volume_usd", "volume_notional", "price_change"), ZERO)
        return {
            "instrument_name": market.symbol,
            "timestamp": call.now_ms,
            "state": "open",
            "stats": {"high": ask, "low": last, **day},
            **prices,
            **dict.fromkeys(("best_ask_price", "max_price"), ask),
            "best_bid_amount": 1,
            "best_ask_amount": 1,
            **dict.fromkeys(("open_interest", "current_funding", "funding_8h"), ZERO),
            "estimated_delivery_price": last,
        }

    @route(
        f"GET {API}/public/get_book_summary_by_currency",
        f"GET {API}/public/get_book_summary_by_instrument",
        public=True,
        costs={"public": 1},
    )
    def book_summary(self, call: Call) -> Any:
        symbol, currency, kind = (call.text(name, "") for name in ("instrument_name", "currency", "kind"))
        if not symbol:
            call.text("currency")
        found = [
            each
            for each in self._markets()
            if symbol in ("", each.symbol)
            and currency in ("", each.settle, each.base)
            and kind in ("", KIND_OF[each.product])
        ]
        return ok(call, [self._summary_of(call, each) for each in found])

    def _summary_of(self, call: Call, market: Market) -> dict[str, Any]:
        desk = self.desks[market.product]
        bid, ask = desk.bid(market), desk.ask(market)
        return {
            "instrument_name": market.symbol,
            "base_currency": market.base,
            "quote_currency": market.quote,
            "creation_timestamp": call.now_ms,
            **dict.fromkeys(("bid_price", "last", "low", "mark_price"), bid),
            **dict.fromkeys(("ask_price", "high"), ask),
            "mid_price": (bid + ask) / 2,
            **dict.fromkeys(
                ("volume", "volume_usd", "volume_notional", "price_change", "open_interest"), ZERO
            ),
        }

    def _traded(self, symbol: str) -> tuple[Desk, Market]:
        for desk in self.desks.values():
            if symbol in desk.markets:
                return desk, desk.markets[symbol]
        raise Rejected(Reason.UNKNOWN_SYMBOL, symbol)

    # -- account ---------------------------------------------------------------------------------------

    @route(f"GET {API}/private/get_positions")
    def positions(self, call: Call) -> Any:
        """All that ever were: closed ones have no size."""
        books = [self.desks[each].book(call.account) for each in FUTURES]
        held = [each for book in books for each in book.positions.values()]
        currency = call.text("currency", "")
        return ok(call, [self._position(each) for each in held if currency in ("", each.market.settle)])

    @route(f"GET {API}/private/get_position")
    def position(self, call: Call) -> Any:
        desk, market = self._traded(call.text("instrument_name"))
        if market.product is Product.SPOT:
            raise Rejected(Reason.BAD_PARAMETER, "instrument_name")
        return ok(call, self._position(desk.book(call.account).position(market, None)))

    def _position(self, position: Position) -> dict[str, Any]:
        market = position.market
        mark = self.desks[market.product].bid(market)
        size = position.quantity * market.contract_size
        return {
            "instrument_name": position.market.symbol,
            "kind": "future",
            "direction": "buy" if size > 0 else "sell" if size else "zero",
            "size": size,
            "size_currency": size / mark if market.inverse else size,
            "average_price": position.entry_price,
            "mark_price": mark,
            "index_price": mark,
            "leverage": int(position.market.max_leverage),
            **dict.fromkeys(("floating_profit_loss", "total_profit_loss"), position.unrealised(mark)),
            "realized_profit_loss": position.realised,
            "delta": position.quantity if not market.inverse else size / mark,
            "initial_margin": position.notional(mark) / position.market.max_leverage,
            "maintenance_margin": position.notional(mark) / position.market.max_leverage / 2,
            "estimated_liquidation_price": ZERO,
        }

    @route(f"GET {API}/private/get_margins")
    def margins(self, call: Call) -> Any:
        desk, market = self._traded(call.text("instrument_name"))
        value = market.value(quantity_of(call, market), call.decimal("price"))
        told = dict.fromkeys(("buy", "sell"), value / market.max_leverage)
        fees = {"taker": value * desk.rules.taker_fee, "maker": value * desk.rules.maker_fee}
        told |= {f"{side}_{kind}_fee": fee for side in SIDES for kind, fee in fees.items()}
        return ok(call, told | {"min_price": market.tick, "max_price": D(10_000_000)})

    @route(f"GET {API}/private/get_account_summaries")
    def summaries(self, call: Call) -> Any:
        rows = [self._summary(call, asset) for asset in call.account.wallets[WALLET]]
        return ok(call, {"id": 1, "type": "main", "summaries": rows})

    @route(f"GET {API}/private/get_account_summary")
    def summary(self, call: Call) -> Any:
        return ok(call, self._summary(call, call.text("currency")))

    def _summary(self, call: Call, asset: str) -> dict[str, Any]:
        account = call.account
        total, profit = account.total(WALLET, asset), account.unrealised(WALLET, asset)
        return {
            "currency": asset,
            "balance": total,
            "equity": total + profit,
            "margin_balance": total + profit,
            **dict.fromkeys(("available_funds", "available_withdrawal_funds"), account.free(WALLET, asset)),
            **dict.fromkeys(("session_rpl", "session_upl", "delta_total"), ZERO),
            "initial_margin": sum((self.desks[each].locked(account, asset) for each in FUTURES), ZERO),
            "maintenance_margin": ZERO,
            "spot_reserve": self.desks[Product.SPOT].locked(account, asset),
            "total_pl": profit,
        }


def quantity_of(call: Call, market: Market) -> Decimal:
    """The amount, or the number of contracts."""
    if (contracts := call.decimal_or_none("contracts")) is not None and not call.text("amount", ""):
        return contracts * market.step
    return call.decimal("amount") / market.contract_size
