"""HTX perpetuals by the API older than v5, without the orders: its addresses, balances, positions, leverage, modes.
https://huobiapi.github.io/docs/usdt_swap/v1/en/ (read 2026-11-23 in ccxt 4.4.100, whose comments quote the answers)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from exchanges.sandbox.dialect import route
from exchanges.sandbox.dialects.htx_frame import HTXFrame, kind_of
from exchanges.sandbox.dialects.htx_futures_answers import POSITION_MODES
from exchanges.sandbox.dialects.htx_older_answers import account_words, contract_words, ok
from exchanges.sandbox.ledger import Account, Position
from exchanges.sandbox.model import ZERO, Market, Reason, Rejected, Ticket
from exchanges.sandbox.wire import Call
from exchanges.types import MarginMode, Side

API = "/linear-swap-api/v1/swap"


def both(method: str, name: str, api: str = API) -> tuple[str, str]:
    """The addresses for isolated margin and for cross margin."""
    return f"{method} {api}_{name}", f"{method} {api}_cross_{name}"


def mode_of(call: Call) -> MarginMode:
    return MarginMode.CROSS if "_cross_" in call.path else MarginMode.ISOLATED


class HTXOlderAccount(HTXFrame):
    # -- account ---------------------------------------------------------------------------------------

    @route(f"POST {API}_cross_account_info", costs={"account": 1})
    def older_cross_account(self, call: Call) -> Any:
        wanted = call.text("margin_account", "")
        rows = [self._wallet(call.account, coin) for coin in call.account.wallets[self.desk.wallet]]
        return ok(call, [row for row in rows if wanted in ("", row["margin_account"])])

    @route(f"POST {API}_account_info", costs={"account": 1})
    def older_account(self, call: Call) -> Any:
        """One row for each contract: they share one wallet here."""
        wanted = call.text("contract_code", "")
        markets = [each for each in self.desk.markets.values() if wanted in ("", each.symbol)]
        return ok(call, [self._wallet(call.account, each.quote) | account_words(each) for each in markets])

    def _wallet(self, account: Account, coin: str) -> dict[str, Any]:
        total, profit = account.total(self.desk.wallet, coin), account.unrealised(self.desk.wallet, coin)
        free, locked = account.free(self.desk.wallet, coin), account.locked(self.desk.wallet, coin)
        return {
            "margin_mode": "cross",
            **dict.fromkeys(("margin_account", "margin_asset"), coin),
            "margin_balance": total + profit,
            "margin_static": total,
            "margin_position": locked,
            "margin_frozen": ZERO,
            **dict.fromkeys(("withdraw_available", "margin_available"), max(free, ZERO)),
            "profit_real": ZERO,
            "profit_unreal": profit,
            "risk_rate": None,
            "position_mode": self._mode_word(account),
            **{name: [] for name in ("contract_detail", "futures_contract_detail")},
        }

    def _mode_word(self, account: Account) -> str:
        mode = self.desk.book(account).position_mode
        return next(word for word, each in POSITION_MODES.items() if each is mode)

    @route(*both("POST", "position_info"), costs={"account": 1})
    def older_positions(self, call: Call) -> Any:
        return ok(call, self._positions(call))

    @route(*both("POST", "account_position_info"), costs={"account": 1})
    def older_account_and_positions(self, call: Call) -> Any:
        """In cross margin one account, in isolated margin those of the contracts."""
        positions = self._positions(call)
        if "cross" in call.path:
            coin = call.text("margin_account", "USDT")
            return ok(call, self._wallet(call.account, coin) | {"positions": positions})
        return ok(call, [row | {"positions": positions} for row in self.older_account(call)["data"]])

    def _positions(self, call: Call) -> list[dict[str, Any]]:
        symbol, held = call.text("contract_code", ""), self.desk.book(call.account).open_positions()
        mode = mode_of(call)
        return [
            self._held(call.account, each)
            for each in held
            if symbol in ("", each.market.symbol) and self.desk.margin_mode(call.account, each.market) is mode
        ]

    def _held(self, account: Account, position: Position) -> dict[str, Any]:
        market, mark = position.market, self.desk.bid(position.market)
        leverage = self.desk.leverage(account, market)
        return {
            **contract_words(market),
            **dict.fromkeys(("volume", "available"), abs(position.quantity)),
            "frozen": ZERO,
            **dict.fromkeys(("cost_open", "cost_hold"), position.entry_price),
            **dict.fromkeys(("profit_unreal", "profit"), position.unrealised(mark)),
            "profit_rate": ZERO,
            "lever_rate": int(leverage),
            "position_margin": position.notional(position.entry_price) / leverage,
            "direction": "buy" if position.quantity > 0 else "sell",
            "last_price": mark,
            "liquidation_price": None,
            **self._margins(account, market),
            "position_mode": self._mode_word(account),
        }

    def _margins(self, account: Account, market: Market) -> dict[str, Any]:
        mode = self.desk.margin_mode(account, market)
        named = market.quote if mode is MarginMode.CROSS else market.symbol
        return {"margin_mode": str(mode), "margin_account": named, "margin_asset": market.quote}

    # -- settings --------------------------------------------------------------------------------------

    @route(*both("POST", "switch_lever_rate"), costs={"account": 1})
    def older_leverage(self, call: Call) -> Any:
        self._lever(call)
        market = self.desk.market(call.text("contract_code"))
        self.take_mode(
            call.account,
            Ticket(market.symbol, Side.BUY, kind_of(Side.BUY, limit=False, rises=None)),
            mode_of(call),
        )
        told = {"contract_code": market.symbol, "lever_rate": call.integer("lever_rate")}
        return ok(call, told | {"margin_mode": str(mode_of(call))})

    def _lever(self, call: Call) -> None:
        if call.text("lever_rate", ""):
            self.desk.set_leverage(
                call.account, call.text("contract_code"), Decimal(call.integer("lever_rate"))
            )

    def take_mode(self, account: Account, ticket: Ticket, mode: MarginMode) -> None:
        """A position lives in one mode here; what would close it in the other finds nothing."""
        market, book = self.desk.market(ticket.symbol), self.desk.book(account)
        if mode is self.desk.margin_mode(account, market):
            return
        if any(each.market is market for each in book.open_positions()):
            raise Rejected(Reason.REDUCE_ONLY if ticket.reduces else Reason.HAS_POSITION)
        book.margin_modes[ticket.symbol] = mode

    @route(*both("POST", "switch_position_mode"), costs={"account": 1})
    def older_position_mode(self, call: Call) -> Any:
        mode, account = call.one_of("position_mode", POSITION_MODES), call.text("margin_account")
        if self.desk.book(call.account).position_mode is not mode:
            self.desk.set_position_mode(call.account, mode)
        return ok(call, [{"margin_account": account, "position_mode": call.text("position_mode")}])
