"""Positions, settings, balances and keys of BloFin; nothing of orders. https://docs.blofin.com/."""

from __future__ import annotations

from typing import Any

from exchanges.sandbox.dialect import route
from exchanges.sandbox.dialects.blofin_frame import TRADING, BloFinFrame, answered, frame, padded
from exchanges.sandbox.engine import Desk
from exchanges.sandbox.ledger import Account, Position
from exchanges.sandbox.model import Reason, Rejected, text
from exchanges.sandbox.wire import Call
from exchanges.types import MarginMode, PositionMode

WALLET = "futures"
POSITION_MODES = {"net_mode": PositionMode.ONE_WAY, "long_short_mode": PositionMode.HEDGE}
MARGIN_MODES = {each.value: each for each in MarginMode}


class BloFinAccount(BloFinFrame):
    @route("GET /api/v1/account/balance")
    def balance(self, call: Call) -> Any:
        rows = [_balance_row(call.account, coin, call.now_ms) for coin in call.account.wallets[WALLET]]
        return frame({"ts": str(call.now_ms), "totalEquity": "", "isolatedEquity": "0", "details": rows})

    @route("GET /api/v1/account/positions")
    def positions(self, call: Call) -> Any:
        wanted, held = call.text("instId", ""), self.desk.book(call.account).open_positions()
        return frame(
            [_position_row(self.desk, call.account, p) for p in held if wanted in ("", p.market.symbol)]
        )

    @route("GET /api/v1/account/position-mode")
    def position_mode(self, call: Call) -> Any:
        book = self.desk.book(call.account)
        mode = next(name for name, each in POSITION_MODES.items() if each is book.position_mode)
        return frame({"positionMode": mode})

    @route("POST /api/v1/account/set-position-mode", costs=TRADING)
    def set_position_mode(self, call: Call) -> Any:
        try:
            self.desk.set_position_mode(call.account, call.one_of("positionMode", POSITION_MODES))
        except Rejected as refused:
            if refused.reason is not Reason.NOT_MODIFIED:
                raise
        return frame({"positionMode": call.text("positionMode")})

    @route("GET /api/v1/account/margin-mode")
    def margin_mode(self, call: Call) -> Any:
        """The whole account's; an order may name another."""
        return frame(
            {"marginMode": self.desk.book(call.account).margin_modes.get("", MarginMode.CROSS).value}
        )

    @route("POST /api/v1/account/set-margin-mode", costs=TRADING)
    def set_margin_mode(self, call: Call) -> Any:
        book, mode = self.desk.book(call.account), call.one_of("marginMode", MARGIN_MODES)
        if book.open or any(book.open_positions()):
            raise Rejected(Reason.HAS_POSITION)
        book.margin_modes[""] = mode
        return frame({"marginMode": mode.value})

    @route("GET /api/v1/account/leverage-info")
    def leverage(self, call: Call) -> Any:
        return frame(self._leverages(call)[0])

    @route("GET /api/v1/account/batch-leverage-info")
    def leverages(self, call: Call) -> Any:
        return frame(self._leverages(call))

    def _leverages(self, call: Call) -> list[dict[str, str]]:
        """In hedge mode one for each side, though both are the same here."""
        hedged = self.desk.book(call.account).position_mode is PositionMode.HEDGE
        return [
            {
                "instId": symbol,
                "leverage": text(self.desk.leverage(call.account, self.desk.market(symbol))),
                "marginMode": call.text("marginMode"),
                "positionSide": side,
            }
            for symbol in call.text("instId").split(",")
            for side in (("long", "short") if hedged else ("net",))
        ]

    @route("POST /api/v1/account/set-leverage", costs=TRADING)
    def set_leverage(self, call: Call) -> Any:
        mode, side = call.one_of("marginMode", MARGIN_MODES), call.text("positionSide", "net")
        hedged = self.desk.book(call.account).position_mode is PositionMode.HEDGE
        if mode is MarginMode.ISOLATED and hedged != (side != "net"):
            raise Rejected(Reason.MISSING_PARAMETER, "positionSide")
        for order in self.desk.book(call.account).open.values():
            if (order.market.symbol, order.waiting) == (call.text("instId"), False):
                raise answered(
                    "110006",
                    f"You have pending {mode} orders. Please cancel them before adjusting your leverage.",
                )
        self.desk.set_leverage(call.account, call.text("instId"), call.decimal("leverage"))
        told = {name: call.text(name) for name in ("leverage", "marginMode", "instId")}
        return frame(told | {"positionSide": side})

    @route("GET /api/v1/asset/balances")
    def balances(self, call: Call) -> Any:
        """Of one kind of account; there is money in that for futures."""
        if call.text("accountType") != "futures":
            return frame([])
        rows = []
        for coin in sorted(call.account.wallets[WALLET]):
            total, free = call.account.total(WALLET, coin), call.account.free(WALLET, coin)
            amounts = {"balance": text(total), "available": text(free), "frozen": text(total - free)}
            rows.append({"currency": coin, **amounts, "bonus": "0"})
        return frame(rows)

    @route("GET /api/v1/asset/currencies")
    def currencies(self, call: Call) -> Any:
        moves = dict.fromkeys(("isDepositAvailable", "isWithdrawAvailable"), 0)
        coins = sorted(call.account.wallets[WALLET])
        return frame(
            [{"currency": coin, "chain": "ERC20", "withdrawPrecision": 8, **moves} for coin in coins]
        )

    @route("GET /api/v1/user/query-apikey")
    def key(self, call: Call) -> Any:
        reads = 0 if "trade" in call.account.permissions else 1
        key = {"uid": "1", "apiName": "sandbox", "apiKey": call.account.key, "readOnly": reads, "type": 1}
        return frame(key | {"ips": [], "expireTime": "0", "createTime": "0", "parentUid": "0"})


def _position_row(desk: Desk, account: Account, position: Position) -> dict[str, Any]:
    mark, market = desk.bid(position.market), position.market
    held = text(position.quantity if position.side is None else abs(position.quantity))
    leverage, profit = desk.leverage(account, market), position.unrealised(mark)
    return {
        "positionId": str(position.updated_ms),
        "instId": market.symbol,
        "instType": "SWAP",
        "marginMode": desk.margin_mode(account, market).value,
        "positionSide": position.side or "net",
        "adl": "1",
        "positions": held,
        "availablePositions": held,
        "averagePrice": padded(position.entry_price),
        "markPrice": text(mark),
        "marginRatio": "100",
        "liquidationPrice": "",
        "unrealizedPnl": text(profit),
        "unrealizedPnlRatio": "0",
        "initialMargin": text(position.notional(position.entry_price) / leverage),
        "maintenanceMargin": "0",
        "createTime": str(position.updated_ms),
        "updateTime": str(position.updated_ms),
        "leverage": text(leverage),
    }


def _balance_row(account: Account, coin: str, now_ms: int) -> dict[str, Any]:
    total, free = account.total(WALLET, coin), text(account.free(WALLET, coin))
    profit, locked = account.unrealised(WALLET, coin), text(account.locked(WALLET, coin))
    return {
        "currency": coin,
        "equity": text(total + profit),
        "balance": text(total),
        "ts": str(now_ms),
        "isolatedEquity": "0",
        "available": free,
        "availableEquity": free,
        "frozen": locked,
        "orderFrozen": locked,
        "equityUsd": text(total + profit),
        "isolatedUnrealizedPnl": "0",
        "bonus": "0",
    }
