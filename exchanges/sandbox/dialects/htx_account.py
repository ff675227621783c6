"""HTX spot without the orders: refusals, pairs, prices, balances, the key.
https://www.htx.com/en-us/opend/newApiPages/."""

from __future__ import annotations

from typing import Any

from exchanges.sandbox.dialect import route
from exchanges.sandbox.dialects.htx_answers import REFUSALS, number_of, ok, symbol_row
from exchanges.sandbox.dialects.htx_frame import GATEWAY, STATUSES, HTXFrame, depth, merged
from exchanges.sandbox.model import Reason, Rejected, text
from exchanges.sandbox.wire import Call, Reply

#: the account that everybody has beside the one that trades
POINTS = {"id": 5202591, "type": "point", "subtype": "", "state": "working"}


class HTXAccount(HTXFrame):
    def refuse(self, reason: Reason, detail: str, call: Call) -> Reply:
        """Algo orders have numbers for codes; most of theirs is 2002."""
        code, words = REFUSALS.get(reason, ("bad-request", "Parameter error: {}"))
        if reason in GATEWAY:
            code, words = "api-signature-not-valid", GATEWAY[reason]
        told: dict[str, Any] = {"status": "error", "err-code": code, "err-msg": words.format(detail)}
        if call.path.startswith("/v2/algo-orders") and reason not in {
            *GATEWAY,
            *STATUSES,
            Reason.MAINTENANCE,
        }:
            told = {"code": 2002, "message": words.format(detail)}
        return Reply(told | {"data": None}, STATUSES.get(reason, 200))

    # -- public ----------------------------------------------------------------------------------------

    @route("GET /v1/common/timestamp", public=True, costs={"public": 1})
    def time(self, call: Call) -> Any:
        return ok(call.now_ms)

    @route("GET /v1/common/symbols", public=True, costs={"public": 1})
    def symbols(self, call: Call) -> Any:
        return ok([symbol_row(market) for market in self.markets])

    @route("GET /v2/reference/currencies", public=True, costs={"public": 1})
    def currencies(self, call: Call) -> Any:
        names = sorted({name.lower() for market in self.markets for name in (market.base, market.quote)})
        return {
            "code": 200,
            "data": [{"currency": name, "instStatus": "normal", "chains": []} for name in names],
        }

    @route("GET /market/detail/merged", public=True, costs={"public": 1})
    def merged(self, call: Call) -> Any:
        return merged(self, call, "symbol")

    @route("GET /market/detail", public=True, costs={"public": 1})
    def day(self, call: Call) -> Any:
        market = self.desk.market(call.text("symbol"))
        bid, ask = self.desk.bid(market), self.desk.ask(market)
        prices = {**dict.fromkeys(("open", "low", "close"), bid), "high": ask}
        tick = {"id": call.now_ms, **prices, **dict.fromkeys(("amount", "vol", "count"), 1000)}
        return {"status": "ok", "ch": f"market.{market.symbol}.detail", "ts": call.now_ms, "tick": tick}

    @route("GET /market/tickers", public=True, costs={"public": 1})
    def tickers(self, call: Call) -> Any:
        rows = []
        for market in self.markets:
            bid, ask = self.desk.bid(market), self.desk.ask(market)
            prices = {
                **dict.fromkeys(("open", "low", "close", "bid"), bid),
                **dict.fromkeys(("high", "ask"), ask),
            }
            sizes = dict.fromkeys(("bidSize", "askSize", "amount", "vol", "count"), 1000)
            rows.append({"symbol": market.symbol, **prices, **sizes})
        return ok(rows) | {"ts": call.now_ms}

    @route("GET /market/depth", public=True, costs={"public": 1})
    def depth(self, call: Call) -> Any:
        return depth(self, call, "symbol")

    @route("GET /v2/market-status", public=True, costs={"public": 1})
    def market_status(self, call: Call) -> Any:
        return {"code": 200, "message": "success", "data": {"marketStatus": 1}}

    @route("GET /v2/reference/transact-fee-rate")
    def fee_rates(self, call: Call) -> Any:
        maker, taker = text(self.rules.maker_fee), text(self.rules.taker_fee)
        rates = dict.fromkeys(("makerFeeRate", "actualMakerRate"), maker)
        rates |= dict.fromkeys(("takerFeeRate", "actualTakerRate"), taker)
        wanted = call.text("symbols").split(",")
        return {"code": 200, "data": [{"symbol": each, **rates} for each in wanted], "success": True}

    # -- account ---------------------------------------------------------------------------------------

    @route("GET /v1/account/accounts", costs={"account": 1})
    def accounts(self, call: Call) -> Any:
        return ok([POINTS, POINTS | {"id": int(number_of(call.account)), "type": "spot"}])

    @route("GET /v1/account/accounts/{accountId}/balance", costs={"account": 1})
    def balance(self, call: Call) -> Any:
        if call.parts["accountId"] == str(POINTS["id"]):
            return ok(POINTS | {"list": []})
        if call.parts["accountId"] != number_of(call.account):
            raise Rejected(Reason.BAD_PARAMETER, "account-id")
        wallet, rows = self.rules.wallet, list[dict[str, str]]()
        for coin, total in call.account.wallets[wallet].items():
            free = call.account.free(wallet, coin)
            parts = {"trade": free, "frozen": total - free}
            rows += [{"currency": coin.lower(), "type": k, "balance": text(v)} for k, v in parts.items()]
        return ok(POINTS | {"id": int(number_of(call.account)), "type": "spot", "list": rows})

    @route("GET /v2/user/uid", costs={"account": 1})
    def uid(self, call: Call) -> Any:
        return {"code": 200, "data": int(number_of(call.account)) + 1}

    @route("GET /v2/user/api-key", costs={"account": 1})
    def api_key(self, call: Call) -> Any:
        if call.text("uid") != str(int(number_of(call.account)) + 1):
            return {"code": 2002, "message": "invalid field value in `uid`"}
        rights = [name for name in ("trade", "withdraw") if name in call.account.permissions]
        row = {"accessKey": call.account.key, "status": "normal", "note": "sandbox", "ipAddresses": ""}
        row |= {"permission": ",".join(["readOnly", *rights])}
        return {"code": 200, "data": [row | {"validDays": -1, "createTime": call.account.created_ms}]}
