"""What clients of Binance spot read beside trading: coins, fees, what a key may do. There is no margin trading here.

Sources: developers.binance.com/docs/zh-CN/wallet/capital/all-coins-info and developers.binance.me/docs/wallet/account/
api-key-permission (read 2026-11-23); trade fees and commissions as python-binance 1.0.37 documents them, the other
addresses and weights as ccxt 4.5.90 has them.
"""

from __future__ import annotations

from typing import Any

from exchanges.sandbox.dialect import route
from exchanges.sandbox.dialects.binance_frame import Binance, eight
from exchanges.sandbox.wire import Call


class BinanceWallet(Binance):
    @route("GET /sapi/v1/account/apiRestrictions", costs={"sapi": 1})
    def api_restrictions(self, call: Call) -> Any:
        """/docs/wallet/account/api-key-permission"""
        granted = call.account.permissions
        return {
            "ipRestrict": "ip" in granted,
            "createTime": call.account.created_ms,
            "enableReading": True,
            "enableWithdrawals": "withdraw" in granted,
            "enableInternalTransfer": False,
            "enableMargin": False,
            "enableFutures": "trade" in granted,
            "permitsUniversalTransfer": False,
            "enableVanillaOptions": False,
            "enableFixApiTrade": False,
            "enableFixReadOnly": False,
            "enableSpotAndMarginTrading": "trade" in granted,
            "enablePortfolioMarginTrading": False,
        }

    @route("GET /sapi/v1/account/status", "GET /sapi/v1/account/apiTradingStatus", costs={"sapi": 1})
    def status(self, call: Call) -> Any:
        if call.path.endswith("apiTradingStatus"):
            return {"data": {"isLocked": False, "plannedRecoverTime": 0, "updateTime": 0}}
        return {"data": "Normal"}

    @route("GET /sapi/v1/capital/config/getall", costs={"sapi": 10})
    def coins(self, call: Call) -> Any:
        """Without networks: nothing is deposited or withdrawn."""
        account, wallet = call.account, self.rules.wallet
        return [
            {
                "coin": coin,
                "name": coin,
                "depositAllEnable": False,
                "withdrawAllEnable": False,
                "free": eight(account.free(wallet, coin)),
                "locked": eight(account.locked(wallet, coin)),
                **dict.fromkeys(("freeze", "ipoable", "ipoing", "storage", "withdrawing"), "0"),
                "isLegalMoney": False,
                "trading": True,
                "networkList": [],
            }
            for coin in account.wallets[wallet]
        ]

    @route(
        "GET /sapi/v1/margin/allPairs",
        "GET /sapi/v1/margin/allAssets",
        "GET /sapi/v1/margin/isolated/allPairs",
        costs={"sapi": 1},
    )
    def no_margin(self, call: Call) -> Any:
        return []

    @route("GET /sapi/v1/asset/tradeFee", costs={"sapi": 1})
    def trade_fees(self, call: Call) -> Any:
        fees = {"makerCommission": self.rules.maker_fee, "takerCommission": self.rules.taker_fee}
        told = {name: str(rate) for name, rate in fees.items()}
        return [{"symbol": market.symbol, **told} for market in self.symbol_or_all(call)]

    @route("GET /api/v3/account/commission", costs={"weight": 20})
    def commission(self, call: Call) -> Any:
        rates = {"maker": eight(self.rules.maker_fee), "taker": eight(self.rules.taker_fee)}
        none = dict.fromkeys(("maker", "taker", "buyer", "seller"), "0.00000000")
        discount = {
            "enabledForAccount": False,
            "enabledForSymbol": False,
            "discountAsset": "BNB",
            "discount": "0",
        }
        told = {"standardCommission": {**none, **rates}, "specialCommission": none, "taxCommission": none}
        return {"symbol": self.symbol(call).symbol, **told, "discount": discount}
