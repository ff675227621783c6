"""HTX perpetuals without the orders (API v5): refusals, contracts, prices, positions, settings, balances. The
refusals are those of the older API too. https://www.htx.com/en-us/opend/newApiPages/."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from exchanges.sandbox.dialect import route
from exchanges.sandbox.dialects.htx_frame import GATEWAY, STATUSES, HTXFrame, depth, merged
from exchanges.sandbox.dialects.htx_futures_answers import (
    POSITION_MODES,
    POSITION_WORDS,
    REFUSALS,
    contract_row,
)
from exchanges.sandbox.ledger import Account, Position
from exchanges.sandbox.model import Reason, text
from exchanges.sandbox.wire import Call, Reply
from exchanges.types import MarginMode

D = Decimal
MODES = {mode.value: mode for mode in MarginMode}
#: a contract margined in its coin
SUSPENDED = {
    "symbol": "BTC",
    "contract_size": D(100),
    "price_tick": D("0.1"),
    "delivery_time": "",
    "contract_status": 3,
}


class HTXFuturesAccount(HTXFrame):
    def refuse(self, reason: Reason, detail: str, call: Call) -> Reply:
        if reason in GATEWAY:
            told = {"status": "error", "err_code": 403, "err_msg": GATEWAY[reason]}
            return Reply(told | {"ts": call.now_ms})
        code, words = REFUSALS.get(reason, (1034, "Incorrect field: {}"))
        if call.path.startswith("/linear-swap-api/") and reason not in STATUSES:
            told = {"status": "error", "err_code": code, "err_msg": words.format(detail), "ts": call.now_ms}
            return Reply(told)
        status = 503 if reason is Reason.MAINTENANCE else STATUSES.get(reason, 200)
        return Reply(self._answer(call, None) | {"code": code, "message": words.format(detail)}, status)

    @staticmethod
    def _answer(call: Call, data: Any) -> dict[str, Any]:
        return {"code": 200, "message": "Success", "data": data, "ts": call.now_ms}

    # -- public ----------------------------------------------------------------------------------------

    @route("GET /api/v1/timestamp", public=True, costs={"public": 1})
    def time(self, call: Call) -> Any:
        return {"status": "ok", "ts": call.now_ms}

    @route("GET /linear-swap-api/v1/swap_contract_info", public=True, costs={"public": 1})
    def contracts(self, call: Call) -> Any:
        return {"status": "ok", "data": [contract_row(each) for each in self.markets], "ts": call.now_ms}

    @route("GET /linear-swap-ex/market/detail/merged", public=True, costs={"public": 1})
    def merged(self, call: Call) -> Any:
        return merged(self, call, "contract_code")

    @route("GET /swap-api/v1/swap_contract_info", public=True, costs={"public": 1})
    def coin_margined(self, call: Call) -> Any:
        """They are not simulated: of each kind one is listed, and suspended, since clients take an empty list for a fault."""
        row = SUSPENDED | {
            "contract_code": "BTC-USD",
            "create_date": "20200325",
            "settlement_date": str(call.now_ms),
        }
        return {"status": "ok", "data": [row], "ts": call.now_ms}

    @route("GET /api/v1/contract_contract_info", public=True, costs={"public": 1})
    def dated(self, call: Call) -> Any:
        named = {"contract_code": "BTC261225", "contract_type": "quarter", "create_date": "20260612"}
        ends = {"delivery_date": "20261225", "delivery_time": "1798185600000"}
        return {"status": "ok", "data": [SUSPENDED | named | ends], "ts": call.now_ms}

    @route("GET /heartbeat/", "GET /heartbeat", public=True, costs={"public": 1})
    def heartbeat(self, call: Call) -> Any:
        hosts = dict.fromkeys(("heartbeat", "swap_heartbeat", "linear_swap_heartbeat"), 1)
        ends = dict.fromkeys(f"{name.removesuffix('heartbeat')}estimated_recovery_time" for name in hosts)
        return {"status": "ok", "data": hosts | ends, "ts": call.now_ms}

    @route("GET /linear-swap-ex/market/depth", public=True, costs={"public": 1})
    def depth(self, call: Call) -> Any:
        return depth(self, call, "contract_code")

    @route("GET /linear-swap-ex/market/detail/batch_merged", public=True, costs={"public": 1})
    def all_merged(self, call: Call) -> Any:
        ticks = []
        for market in self.markets:
            bid, ask = text(self.desk.bid(market)), text(self.desk.ask(market))
            day = dict.fromkeys(("amount", "vol", "count", "number_of", "trade_turnover"), "0")
            prices = dict.fromkeys(("open", "close", "low"), bid) | {
                "high": ask,
                "bid": [bid, 1000],
                "ask": [ask, 1000],
            }
            ticks.append(
                {"contract_code": market.symbol, "business_type": "swap", "ts": call.now_ms, **prices, **day}
            )
        return {"status": "ok", "ticks": ticks, "ts": call.now_ms}

    # -- account ---------------------------------------------------------------------------------------

    @route("GET /v5/trade/position/opens")
    def positions(self, call: Call) -> Any:
        symbol, held = call.text("contract_code", ""), self.desk.book(call.account).open_positions()
        rows = [self._position(call.account, each) for each in held if symbol in ("", each.market.symbol)]
        return self._answer(call, rows)

    def _position(self, account: Account, position: Position) -> dict[str, Any]:
        market, mark = position.market, self.desk.bid(position.market)
        leverage = self.desk.leverage(account, market)
        margin = text(position.notional(position.entry_price) / leverage)
        return {
            "contract_code": market.symbol,
            "position_side": POSITION_WORDS[position.side],
            "direction": "buy" if position.quantity > 0 else "sell",
            "margin_mode": str(self.desk.margin_mode(account, market)),
            "open_avg_price": text(position.entry_price),
            "volume": text(abs(position.quantity)),
            "available": text(abs(position.quantity)),
            "lever_rate": int(leverage),
            "liquidation_price": None,
            "initial_margin": margin,
            "margin": margin,
            "maintenance_margin": "0",
            "margin_rate": "0",
            "profit_unreal": text(position.unrealised(mark)),
            "profit_rate": "0",
            "mark_price": text(mark),
            "last_price": text(mark),
            "margin_currency": market.quote,
            "contract_type": "swap",
        }

    @route("GET /v5/account/balance", costs={"account": 1})
    def balance(self, call: Call) -> Any:
        account, wallet, rows = call.account, self.rules.wallet, list[dict[str, str]]()
        for coin, total in account.wallets[wallet].items():
            equity, free = text(total + account.unrealised(wallet, coin)), text(account.free(wallet, coin))
            rows.append({"currency": coin, "equity": equity, "available": free, "available_margin": free})
        return self._answer(call, {"state": "normal", "details": rows})

    @route("GET /v5/position/mode", costs={"account": 1})
    def position_mode(self, call: Call) -> Any:
        mode = self.desk.book(call.account).position_mode
        name = next(name for name, each in POSITION_MODES.items() if each is mode)
        return self._answer(call, {"position_mode": name})

    @route("POST /v5/position/mode", costs={"account": 1})
    def change_position_mode(self, call: Call) -> Any:
        """The mode it has already is no refusal."""
        mode = call.one_of("position_mode", POSITION_MODES)
        if self.desk.book(call.account).position_mode is not mode:
            self.desk.set_position_mode(call.account, mode)
        return self.position_mode(call)

    @route("POST /v5/position/lever", costs={"account": 1})
    def change_leverage(self, call: Call) -> Any:
        rate, mode = call.integer("lever_rate"), call.one_of("margin_mode", MODES)
        self.desk.set_leverage(call.account, call.text("contract_code"), D(rate))
        told = {"contract_code": call.text("contract_code"), "margin_mode": str(mode)}
        return self._answer(call, told | {"lever_rate": rate})
