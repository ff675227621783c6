"""Positions of Phemex perpetuals, their leverage and the position mode. https://phemex-docs.github.io/ (read 2026-11-22)."""

from __future__ import annotations

from typing import Any

from exchanges.sandbox.dialect import route
from exchanges.sandbox.dialects.phemex_frame import CONTRACT, PhemexFrame, ok
from exchanges.sandbox.dialects.phemex_orders import SIDE_OF
from exchanges.sandbox.ledger import Account, Position
from exchanges.sandbox.model import Reason, Rejected, text
from exchanges.sandbox.wire import Call
from exchanges.types import Direction, MarginMode, PositionMode

POSITION_SIDES = {"Merged": None, "Long": Direction.LONG, "Short": Direction.SHORT}
POSITION_SIDE_OF = {side: name for name, side in POSITION_SIDES.items()}
MODES = {"OneWay": PositionMode.ONE_WAY, "Hedged": PositionMode.HEDGE}


class PhemexPositions(PhemexFrame):
    @route("GET /g-accounts/accountPositions", "GET /g-accounts/positions", costs=CONTRACT)
    def account_positions(self, call: Call) -> Any:
        """Every symbol is listed, open or not: once, or in hedge mode once for each side."""
        if call.text("currency") != "USDT":
            raise Rejected(Reason.BAD_PARAMETER, "currency")
        desk, account, wanted = self.linear, call.account, call.text("symbol", "")
        book = desk.book(account)
        sides = (Direction.LONG, Direction.SHORT) if book.position_mode is PositionMode.HEDGE else (None,)
        rows = [
            self._position_row(account, book.position(market, side), book.position_mode)
            for market in ([desk.market(wanted)] if wanted else desk.markets.values())
            for side in sides
        ]
        money = {
            "accountBalanceRv": text(account.total(desk.wallet, "USDT")),
            "totalUsedBalanceRv": text(desk.locked(account, "USDT")),
            "bonusBalanceRv": "0",
        }
        return ok({"account": {"accountId": 1, "userID": 1, "currency": "USDT", **money}, "positions": rows})

    def _position_row(self, account: Account, position: Position, mode: PositionMode) -> dict[str, Any]:
        market, desk = position.market, self.linear
        leverage = desk.leverage(account, market)
        cross = desk.margin_mode(account, market) is MarginMode.CROSS
        held = SIDE_OF[position.direction.entry_side] if position.quantity else "None"
        return {
            "symbol": market.symbol,
            "currency": "USDT",
            "side": held,
            "positionStatus": "Normal",
            "crossMargin": cross,
            "leverageRr": text(-leverage if cross else leverage),
            "size": text(abs(position.quantity)),
            "valueRv": text(position.notional(position.entry_price)),
            "avgEntryPriceRp": text(position.entry_price),
            "assignedPosBalanceRv": text(position.notional(position.entry_price) / leverage),
            "liquidationPriceRp": "0",
            "markPriceRp": text(desk.bid(market)),
            "unRealisedPnlRv": text(position.unrealised(desk.bid(market))),
            "usedBalanceRv": text(position.notional(position.entry_price) / leverage),
            "posSide": POSITION_SIDE_OF[position.side],
            "posMode": next(name for name, each in MODES.items() if each is mode),
        }

    @route("PUT /g-positions/leverage", costs=CONTRACT)
    def set_leverage(self, call: Call) -> Any:
        hedged = not call.text("leverageRr", "")
        self._fits(call, hedged=hedged)
        leverage = call.decimal("longLeverageRr" if hedged else "leverageRr")
        if hedged and call.decimal("shortLeverageRr") != leverage:
            raise Rejected(Reason.BAD_PARAMETER, "both sides have one leverage here")
        market = self.linear.market(call.text("symbol"))
        self.linear.set_leverage(call.account, market.symbol, abs(leverage) or market.max_leverage)
        mode = MarginMode.ISOLATED if leverage > 0 else MarginMode.CROSS
        self.linear.book(call.account).margin_modes[market.symbol] = mode
        return ok("OK")

    @route("PUT /g-positions/switch-pos-mode-sync", costs=CONTRACT)
    def switch_mode(self, call: Call) -> Any:
        """Of the symbol there, of all symbols here."""
        self.linear.market(call.text("symbol"))
        mode = call.one_of("targetPosMode", MODES)
        if self.linear.book(call.account).position_mode is not mode:
            self.linear.set_position_mode(call.account, mode)
        return ok("OK")

    def _fits(self, call: Call, *, hedged: bool) -> None:
        mode = self.linear.book(call.account).position_mode
        if (mode is PositionMode.HEDGE) != hedged:
            raise Rejected(Reason.POSITION_MODE)
