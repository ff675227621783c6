"""What Hyperliquid tells at /info, where everything is asked by address and without a signature. Documented at
hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from exchanges.sandbox.dialect import route
from exchanges.sandbox.dialects.hyperliquid_answers import (
    context,
    fill_row,
    inner_status,
    order_row,
    perpetual_row,
    position_row,
    spot_lists,
)
from exchanges.sandbox.dialects.hyperliquid_frame import DAY_MS, HyperliquidFrame
from exchanges.sandbox.dialects.hyperliquid_markets import PERPETUALS, SPOT
from exchanges.sandbox.dialects.hyperliquid_signatures import address_of
from exchanges.sandbox.engine import Desk
from exchanges.sandbox.ledger import Account
from exchanges.sandbox.model import ZERO, Order, Reason, Rejected, text
from exchanges.sandbox.wire import Answered, Call, Reply
from exchanges.types import Product

#: of the requests that an address has
LEFT = {"nRequestsCap": 10_000, "nRequestsSurplus": 0}
#: of what is not simulated there is none
EMPTY = ("userFunding", "userNonFundingLedgerUpdates", "userTwapSliceFills", "userVaultEquities")
FILLS_PAGE = 2000


class HyperliquidInfo(HyperliquidFrame):
    @route("POST /info", public=True)
    def info(self, call: Call) -> Any:
        asked: dict[str, Callable[[], Any]] = {
            "exchangeStatus": lambda: {"specialStatuses": None, "time": call.now_ms},
            "meta": self._meta,
            "metaAndAssetCtxs": lambda: [self._meta(), [context(self._perps, each) for each in PERPETUALS]],
            "spotMeta": lambda: spot_lists(SPOT),
            "spotMetaAndAssetCtxs": lambda: [spot_lists(SPOT), [context(self._cash, each) for each in SPOT]],
            "perpDexs": lambda: [None],
            "allMids": self._mids,
            "l2Book": lambda: self._book(call),
        }
        if (public := asked.get(call.text("type"))) is not None:
            return public()
        return self._told_of(call, call.text("type"), call.text("user").lower())

    def _told_of(self, call: Call, kind: str, user: str) -> Any:
        """What is asked about an address; one that nobody knows has nothing."""
        account = self.account(user) or Account(user, "", wallets={"perps": {}, "cash": {}})
        asked: dict[str, Callable[[], Any]] = {
            "userRole": lambda: self._role(user),
            "extraAgents": lambda: self._agents_of(account, call),
            "userAbstraction": lambda: "default",
            "clearinghouseState": lambda: self._state(account, call),
            "spotClearinghouseState": lambda: self._cash_state(account),
            "frontendOpenOrders": lambda: [order_row(order) for order in self._open(account)],
            "openOrders": lambda: [order_row(order) for order in self._open(account)],
            "historicalOrders": lambda: [inner_status(order) for order in self._all(account)],
            "orderStatus": lambda: self._status(account, call),
            "userFills": lambda: self._fills(account, 0, call.now_ms)[::-1],
            "userFillsByTime": lambda: self._fills(
                account, call.integer("startTime"), call.integer("endTime", call.now_ms)
            ),
            "activeAssetData": lambda: self._active(account, call),
            "userFees": self._fees,
            "userRateLimit": lambda: {"cumVlm": "0.0", "nRequestsUsed": 0} | LEFT,
            "subAccounts": lambda: None,
            "maxBuilderFee": lambda: 0,
            **dict.fromkeys(EMPTY, list),
        }
        if kind not in asked:
            raise Rejected(Reason.BAD_PARAMETER, "type")
        return asked[kind]()

    def _fees(self) -> Any:
        (perps, cash) = (self._perps.rules, self._cash.rules)
        rates = {"cross": text(perps.taker_fee), "add": text(perps.maker_fee)}
        rates |= {"spotCross": text(cash.taker_fee), "spotAdd": text(cash.maker_fee)}
        own = {f"user{name[0].upper()}{name[1:]}Rate": rate for name, rate in rates.items()}
        schedule: dict[str, Any] = {**rates, "tiers": {"vip": [], "mm": []}, "referralDiscount": "0.04"}
        schedule["stakingDiscountTiers"] = []
        told: dict[str, Any] = {
            "dailyUserVlm": [],
            "feeSchedule": schedule,
            **own,
            "activeReferralDiscount": "0.0",
        }
        told |= {"trial": None, "feeTrialEscrow": "0.0", "nextTrialAvailableTimestamp": None}
        return told | {
            "stakingLink": None,
            "activeStakingDiscount": {"bpsOfMaxSupply": "0.0", "discount": "0.0"},
        }

    @property
    def _perps(self) -> Desk:
        return self.desks[Product.LINEAR]

    @property
    def _cash(self) -> Desk:
        return self.desks[Product.SPOT]

    def _meta(self) -> Any:
        return {
            "universe": [perpetual_row(each) for each in PERPETUALS],
            "marginTables": [],
            "collateralToken": 0,
        }

    def _mids(self) -> Any:
        markets = [(desk, each) for desk in self.desks.values() for each in desk.markets.values()]
        return {each.symbol: text((desk.bid(each) + desk.ask(each)) / 2) for desk, each in markets}

    def _book(self, call: Call) -> Any:
        coin = call.text("coin")
        desk = next((each for each in self.desks.values() if coin in each.markets), None)
        if desk is None:
            raise Answered(Reply(b"null", 500))
        market = desk.market(coin)
        levels = [
            [{"px": text(price), "sz": "1000", "n": 1}] for price in (desk.bid(market), desk.ask(market))
        ]
        return {"coin": coin, "time": call.now_ms, "levels": levels}

    def _role(self, user: str) -> Any:
        if self.account(user) is not None:
            return {"role": "user"}
        owner = self._owner(user)
        return {"role": "agent", "data": {"user": owner.key}} if owner else {"role": "missing"}

    def _agents_of(self, account: Account, call: Call) -> Any:
        if not account.secret:
            return []
        ends = call.now_ms + 180 * DAY_MS
        return [{"name": "sandbox", "address": address_of(account.secret), "validUntil": ends}]

    def _state(self, account: Account, call: Call) -> Any:
        wallet = self._perps.wallet
        equity = account.total(wallet, "USDC") + account.unrealised(wallet, "USDC")
        free, positions = account.free(wallet, "USDC"), self._perps.book(account).open_positions()
        notional = sum((each.notional(self._perps.bid(each.market)) for each in positions), ZERO)
        summary = {
            "accountValue": text(equity),
            "totalNtlPos": text(notional),
            "totalRawUsd": text(account.total(wallet, "USDC")),
            "totalMarginUsed": text(equity - free),
        }
        return {
            "marginSummary": summary,
            "crossMarginSummary": summary,
            "crossMaintenanceMarginUsed": "0.0",
            "withdrawable": text(max(free, ZERO)),
            "assetPositions": [position_row(self._perps, account, each) for each in positions],
            "time": call.now_ms,
        }

    def _cash_state(self, account: Account) -> Any:
        wallet, tokens = self._cash.wallet, spot_lists(SPOT)["tokens"]
        held = account.wallets[wallet]
        rows = [
            {
                "coin": each["name"],
                "token": each["index"],
                "hold": text(account.locked(wallet, each["asset"])),
                "total": text(held[each["asset"]]),
                "entryNtl": "0.0",
            }
            for each in (token | {"asset": token["fullName"]} for token in tokens)
            if held.get(each["asset"])
        ]
        return {"balances": rows}

    def _all(self, account: Account) -> list[Order]:
        return [order for desk in self.desks.values() for order in desk.book(account).orders.values()]

    def _open(self, account: Account) -> list[Order]:
        return [order for order in self._all(account) if order.open]

    def _status(self, account: Account, call: Call) -> Any:
        which = named(call.text("oid"))
        found = [order for desk in self.desks.values() if (order := desk.order(account, **which))]
        return {"status": "order", "order": inner_status(found[0])} if found else {"status": "unknownOid"}

    def _fills(self, account: Account, since: int, until: int) -> list[Any]:
        books = [desk.book(account) for desk in self.desks.values()]
        found = [(fill, book.orders[fill.order_id]) for book in books for fill in book.fills]
        found = sorted(
            (each for each in found if since <= each[0].time_ms <= until), key=lambda each: each[0].id
        )
        return [fill_row(*each) for each in found[:FILLS_PAGE]]

    def _active(self, account: Account, call: Call) -> Any:
        market, desk = self._perps.market(call.text("coin")), self._perps
        told = {"type": str(desk.margin_mode(account, market)), "value": int(desk.leverage(account, market))}
        free, mark = max(account.free(desk.wallet, "USDC"), ZERO), desk.bid(market)
        size = free * desk.leverage(account, market) / mark // market.step * market.step
        return {
            "user": account.key,
            "coin": market.symbol,
            "leverage": told,
            "maxTradeSzs": [text(size)] * 2,
            "availableToTrade": [text(free)] * 2,
            "markPx": text(desk.bid(market)),
        }


def named(name: str) -> dict[str, str]:
    """Which order is meant: ids of the caller begin as those of the exchange cannot."""
    return {"client_id": name} if name.startswith("0x") else {"order_id": name}
