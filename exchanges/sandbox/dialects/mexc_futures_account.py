"""The contract account at MEXC: positions, leverage, margin and position modes, assets.

Their numbers, which orders know too, are found in `mexc_futures_answers`. https://www.mexc.com/api-docs/futures/.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from exchanges.sandbox.dialect import route
from exchanges.sandbox.dialects.mexc_futures_answers import (
    MARGIN,
    MARGIN_NUMBERS,
    MODES,
    ContractAnswers,
    ok,
    page,
)
from exchanges.sandbox.ledger import Account, Position
from exchanges.sandbox.model import ZERO, Fill, Ticket, fine
from exchanges.sandbox.wire import Call
from exchanges.types import Direction, OrderType, PositionMode, Side


class ContractAccount(ContractAnswers):
    # -- positions -------------------------------------------------------------------------------------

    @route("GET /api/v1/private/position/open_positions")
    def positions(self, call: Call) -> Any:
        symbol, held = call.text("symbol", ""), self.desk.book(call.account).open_positions()
        found = [each for each in held if symbol in ("", each.market.symbol)]
        return ok([self._position_row(call.account, each) for each in found])

    def _position_row(self, account: Account, position: Position) -> dict[str, Any]:
        market, leverage = position.market, self.desk.leverage(account, position.market)
        margin = position.notional(position.entry_price) / leverage
        return {
            "positionId": self._number_of(account, position),
            "symbol": market.symbol,
            "positionType": 1 if position.direction is Direction.LONG else 2,
            "openType": MARGIN_NUMBERS[self.desk.margin_mode(account, market)],
            "state": 1,
            "holdVol": abs(position.quantity),
            "frozenVol": ZERO,
            "closeVol": ZERO,
            "holdAvgPrice": position.entry_price,
            "openAvgPrice": position.entry_price,
            "closeAvgPrice": ZERO,
            "liquidatePrice": ZERO,
            "oim": margin,
            "im": margin,
            "holdFee": ZERO,
            "realised": position.realised,
            "leverage": leverage,
            "createTime": position.updated_ms,
            "updateTime": position.updated_ms,
            "autoAddIm": False,
        }

    @route("GET /api/v1/private/position/list/history_positions")
    def closed_positions(self, call: Call) -> Any:
        """Newest first."""
        symbol = call.text("symbol", "")
        rows = [self._closed_row(call.account, fills) for fills in self._closed(call.account)]
        return ok(page(call, [row for row in reversed(rows) if symbol in ("", row["symbol"])]))

    def _closed(self, account: Account) -> Iterator[list[Fill]]:
        """The fills of each position from the one that opened it to the one that closed it. One that turns over is not
        taken apart: the fill that turns it closes it and opens another."""
        open_fills: dict[tuple[str, Direction | None], list[Fill]] = {}
        held: dict[tuple[str, Direction | None], Decimal] = {}
        for fill in self.desk.book(account).fills:
            slot = (fill.symbol, fill.position_side)
            before = held.get(slot, ZERO)
            held[slot] = before + (fill.quantity if fill.side is Side.BUY else -fill.quantity)
            open_fills.setdefault(slot, []).append(fill)
            if before and (not held[slot] or (held[slot] > 0) != (before > 0)):
                yield open_fills.pop(slot)
                if held[slot]:
                    open_fills[slot] = [fill]

    def _closed_row(self, account: Account, fills: list[Fill]) -> dict[str, Any]:
        first, market = fills[0], self.desk.market(fills[0].symbol)
        opened, closed = (
            _average([e for e in fills if (e.side is first.side) is same]) for same in (True, False)
        )
        return {
            "positionId": first.id,
            "symbol": market.symbol,
            "positionType": 1 if first.side is Side.BUY else 2,
            "openType": MARGIN_NUMBERS[self.desk.margin_mode(account, market)],
            "state": 3,
            "closeVol": sum((e.quantity for e in fills if e.side is not first.side), ZERO),
            **dict.fromkeys(("holdVol", "frozenVol", "liquidatePrice", "oim", "im", "holdFee"), ZERO),
            **dict.fromkeys(("holdAvgPrice", "openAvgPrice", "newOpenAvgPrice"), opened),
            **dict.fromkeys(("closeAvgPrice", "newCloseAvgPrice"), closed),
            **dict.fromkeys(("realised", "closeProfitLoss"), sum((e.realised for e in fills), ZERO)),
            "fee": sum((e.fee for e in fills), ZERO),
            "leverage": self.desk.leverage(account, market),
            "createTime": first.time_ms,
            "updateTime": fills[-1].time_ms,
            "autoAddIm": False,
        }

    @route("POST /api/v1/private/position/close_all", trading=True, costs={"create": 1})
    def close_all(self, call: Call) -> Any:
        """At market."""
        for position in self.desk.book(call.account).open_positions():
            side = position.direction.exit_side
            ticket = Ticket(
                position.market.symbol,
                side,
                OrderType.MARKET,
                quantity=abs(position.quantity),
                reduce_only=position.side is None,
                position_side=position.side,
                extra={"type": "5", "side": "2" if side is Side.BUY else "4"},
            )
            self.desk.place(call.account, ticket)
        return {"success": True, "code": 0}

    # -- settings --------------------------------------------------------------------------------------

    @route("GET /api/v1/private/position/leverage")
    def leverages(self, call: Call) -> Any:
        market = self.desk.market(call.text("symbol"))
        mode = MARGIN_NUMBERS[self.desk.margin_mode(call.account, market)]
        row = {"level": 1, "imr": 1 / market.max_leverage, "mmr": 1 / market.max_leverage / 2}
        row |= {"openType": mode, "leverage": self.desk.leverage(call.account, market)}
        return ok([row | {"positionType": 1}, row | {"positionType": 2}])

    @route("POST /api/v1/private/position/change_leverage", costs={"cancels": 1})
    def change_leverage(self, call: Call) -> Any:
        """Of an open position by its number; else of a market, with its margin mode."""
        leverage = call.decimal("leverage")
        if call.text("positionId", ""):
            self.desk.set_leverage(call.account, self._position_of(call).market.symbol, leverage)
            return ok(None)
        market, mode = self.desk.market(call.text("symbol")), call.one_of("openType", MARGIN)
        call.one_of("positionType", {"1": Direction.LONG, "2": Direction.SHORT})
        if self.desk.margin_mode(call.account, market) is not mode:
            self.desk.set_margin_mode(call.account, market.symbol, mode)
        self.desk.set_leverage(call.account, market.symbol, leverage)
        return ok(None)

    @route("GET /api/v1/private/position/position_mode")
    def position_mode(self, call: Call) -> Any:
        return ok(1 if self.desk.book(call.account).position_mode is PositionMode.HEDGE else 2)

    @route("POST /api/v1/private/position/change_position_mode", costs={"cancels": 1})
    def change_position_mode(self, call: Call) -> Any:
        mode = call.one_of("positionMode", MODES)
        if self.desk.book(call.account).position_mode is not mode:
            self.desk.set_position_mode(call.account, mode)
        return {"success": True, "code": 0}

    # -- assets ----------------------------------------------------------------------------------------

    @route("GET /api/v1/private/account/asset/{currency}")
    def asset(self, call: Call) -> Any:
        return ok(
            next((row for row in self.assets(call)["data"] if row["currency"] == call.text("currency")), None)
        )

    @route("GET /api/v1/private/account/assets")
    def assets(self, call: Call) -> Any:
        account, wallet = call.account, self.rules.wallet
        rows = []
        for coin, total in account.wallets[wallet].items():
            free, profit = account.free(wallet, coin), account.unrealised(wallet, coin)
            amounts = {
                "equity": total + profit,
                "availableBalance": free,
                "unrealized": profit,
                "bonus": ZERO,
            }
            held = {"cashBalance": total, "frozenBalance": total - free, "positionMargin": ZERO}
            rows.append({"currency": coin, **amounts, **held})
        return ok(rows)


def _average(fills: list[Fill]) -> Decimal:
    whole = sum((each.quantity for each in fills), ZERO)
    return fine(sum((each.quantity * each.price for each in fills), ZERO) / whole) if whole else ZERO
