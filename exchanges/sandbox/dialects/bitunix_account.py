"""Bitunix' perpetuals without the orders: refusals, markets, prices, positions and their numbers, settings, balances.

Documented at https://www.bitunix.com/api-docs/futures/ (stored copies read 2026-11-22).
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from exchanges.sandbox.dialect import route
from exchanges.sandbox.dialects.bitunix_answers import (
    MARGIN,
    MARGIN_OF,
    MODE_OF,
    MODES,
    NO_POSITION,
    OTHERWISE,
    PATH,
    REFUSALS,
    SIDE_OF,
    ok,
    pair_row,
    refused,
)
from exchanges.sandbox.dialects.bitunix_frame import BitunixFrame, dated
from exchanges.sandbox.ledger import Account, Position
from exchanges.sandbox.model import ZERO, Fill, Order, Reason, Rejected, text
from exchanges.sandbox.wire import Answered, Call, Reply
from exchanges.types import Direction, Side

D = Decimal


class BitunixAccount(BitunixFrame):
    # -- the frame -------------------------------------------------------------------------------------

    def refuse(self, reason: Reason, detail: str, call: Call) -> Reply:
        if reason is Reason.UNKNOWN_PATH:
            return Reply(b"404 page not found", 404)
        code, words = REFUSALS.get(reason, OTHERWISE)
        return refused(code, words, 500 if reason is Reason.INTERNAL else 200)

    # -- public ----------------------------------------------------------------------------------------

    @route(f"GET {PATH}market/trading_pairs", public=True, costs={"market": 1})
    def trading_pairs(self, call: Call) -> Any:
        wanted = call.text("symbols", "").split(",")
        return ok([pair_row(each) for each in self.markets if wanted == [""] or each.symbol in wanted])

    @route(f"GET {PATH}market/tickers", public=True, costs={"market": 1})
    def tickers(self, call: Call) -> Any:
        wanted = call.text("symbols", "").split(",")
        rows = [
            {"symbol": each.symbol}
            | dict.fromkeys(("markPrice", "lastPrice", "last"), text(self.desk.bid(each)))
            for each in self.markets
            if wanted == [""] or each.symbol in wanted
        ]
        return dated(call, ok(rows))

    @route(f"GET {PATH}market/depth", public=True, costs={"market": 1})
    def depth(self, call: Call) -> Any:
        market = self.desk.market(call.text("symbol"))
        bid, ask = (text(price) for price in (self.desk.bid(market), self.desk.ask(market)))
        return ok({"asks": [[ask, "1000"]], "bids": [[bid, "1000"]]})

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
        return ok([{"marginCoin": coin, "positionMode": mode} | told])

    def _margin(self, account: Account, position: Position) -> Decimal:
        return position.notional(position.entry_price) / self.desk.leverage(account, position.market)

    @route(f"GET {PATH}position/get_pending_positions", costs={"positions": 1})
    def positions(self, call: Call) -> Any:
        symbol = call.text("symbol", "")
        held = self.desk.book(call.account).open_positions()
        return ok(
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
        raise Answered(refused(*NO_POSITION))

    @route(f"GET {PATH}account/get_leverage_margin_mode", costs={"account": 1})
    def leverage(self, call: Call) -> Any:
        market = self.desk.market(call.text("symbol"))
        return ok(
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
        return ok([{name: call.params[name] for name in ("marginCoin", "symbol", "leverage")}])

    @route(f"POST {PATH}account/change_margin_mode", costs={"settings": 1})
    def change_margin_mode(self, call: Call) -> Any:
        market, mode = self.desk.market(call.text("symbol")), call.one_of("marginMode", MARGIN)
        if self.desk.margin_mode(call.account, market) is not mode:
            self.desk.set_margin_mode(call.account, market.symbol, mode)
        return ok([{name: call.params[name] for name in ("marginCoin", "symbol", "marginMode")}])

    @route(f"POST {PATH}account/change_position_mode", costs={"settings": 1})
    def change_position_mode(self, call: Call) -> Any:
        mode = call.one_of("positionMode", MODES)
        if self.desk.book(call.account).position_mode is not mode:
            self.desk.set_position_mode(call.account, mode)
        return ok([{"positionMode": MODE_OF[mode]}])

    def _listed(self, call: Call) -> Iterator[Order]:
        """Newest first."""
        symbol = call.text("symbol", "")
        for order in reversed(self.desk.book(call.account).orders.values()):
            if symbol in ("", order.market.symbol):
                yield order
