"""The perpetual account at BingX, and what is known of its key: fees, balance, positions, settings.

Orders are in `bingx_swap`; the money of spot is told in `bingx_spot`.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from exchanges.sandbox.dialect import route
from exchanges.sandbox.dialects.bingx_answers import fees_of, placed_row
from exchanges.sandbox.dialects.bingx_frame import BingXFrame, costs, ok, said
from exchanges.sandbox.dialects.bingx_orders import POSITION_SIDES
from exchanges.sandbox.ledger import Account, Position
from exchanges.sandbox.model import ZERO, Market, Order, Reason, Rejected, Ticket, floor_to, text
from exchanges.sandbox.wire import Call
from exchanges.types import MarginMode, OrderType, PositionMode

D = Decimal
MODES = {"true": PositionMode.HEDGE, "false": PositionMode.ONE_WAY}
MARGINS = {"CROSSED": MarginMode.CROSS, "ISOLATED": MarginMode.ISOLATED}
#: what of it the leverage of a side allows
AVAILABLE = (("available", "Vol"), ("available", "Val"), ("maxPosition", "Val"))


class BingXAccount(BingXFrame):
    # -- money -----------------------------------------------------------------------------------------

    @route("GET /openApi/swap/v2/user/commissionRate", costs=costs("account", "queries"))
    def fees(self, call: Call) -> Any:
        return ok({"commission": fees_of(self.linear)})

    @route("GET /openApi/swap/v2/user/balance", costs=costs("account", "queries"))
    def one_balance(self, call: Call) -> Any:
        """The older address knows one currency."""
        return ok({"balance": self.swap_balance(call)["data"][0]})

    @route("GET /openApi/swap/v3/user/balance", costs=costs("account", "queries"))
    def swap_balance(self, call: Call) -> Any:
        account, wallet = call.account, self.linear.wallet
        total, open_profit = account.total(wallet, "USDT"), account.unrealised(wallet, "USDT")
        row = {
            "userId": "1",
            "asset": "USDT",
            "balance": text(total),
            "equity": text(total + open_profit),
            "unrealizedProfit": text(open_profit),
            "realisedProfit": "0",
            "availableMargin": text(account.free(wallet, "USDT")),
            "usedMargin": text(account.locked(wallet, "USDT")),
            "freezedMargin": "0.0000",
            "shortUid": "1",
        }
        return ok([row])

    # -- positions -------------------------------------------------------------------------------------

    @route("GET /openApi/swap/v2/user/positions", costs=costs("account", "orders"))
    def positions(self, call: Call) -> Any:
        book, symbol = self.linear.book(call.account), call.text("symbol", "")
        held = [each for each in book.open_positions() if symbol in ("", each.market.symbol)]
        return ok([self._position_row(call.account, each) for each in held])

    def _position_row(self, account: Account, position: Position) -> dict[str, Any]:
        market, desk = position.market, self.linear
        leverage, mark = desk.leverage(account, market), desk.bid(market)
        return {
            "positionId": _number_of(position),
            "symbol": market.symbol,
            "currency": "USDT",
            "positionAmt": text(abs(position.quantity)),
            "availableAmt": text(abs(position.quantity)),
            "positionSide": position.direction.upper(),
            "isolated": desk.margin_mode(account, market) is MarginMode.ISOLATED,
            "avgPrice": text(position.entry_price),
            "initialMargin": text(position.notional(position.entry_price) / leverage),
            "margin": text(position.notional(position.entry_price) / leverage),
            "leverage": int(leverage),
            "unrealizedProfit": text(position.unrealised(mark)),
            "realisedProfit": text(position.realised),
            "liquidationPrice": 0,
            "markPrice": text(mark),
            "positionValue": text(position.notional(mark)),
            "onlyOnePosition": position.side is None,
            "updateTime": position.updated_ms,
        }

    @route("POST /openApi/swap/v2/trade/closeAllPositions", trading=True, costs=costs("place", "orders"))
    def close_all(self, call: Call) -> Any:
        """Of the symbol that may be named, at market."""
        symbol, held = call.text("symbol", ""), self.linear.book(call.account).open_positions()
        asked = [each for each in held if symbol in ("", each.market.symbol)]
        return ok({"success": [int(self._close(call.account, each).id) for each in asked], "failed": None})

    @route("POST /openApi/swap/v1/trade/closePosition", trading=True, costs=costs("place", "orders"))
    def close(self, call: Call) -> Any:
        wanted = call.text("positionId")
        for position in self.linear.book(call.account).open_positions():
            if _number_of(position) == wanted:
                order = self._close(call.account, position)
                return ok(placed_row(order) | {"positionId": wanted, "origQty": text(order.quantity)})
        return said(80017, "position not exist")

    def _close(self, account: Account, position: Position) -> Order:
        ticket = Ticket(
            position.market.symbol,
            position.direction.exit_side,
            OrderType.MARKET,
            quantity=abs(position.quantity),
            reduce_only=position.side is None,
            position_side=position.side,
            extra={"type": "MARKET", "workingType": "MARK_PRICE"},
        )
        return self.linear.place(account, ticket)

    # -- settings --------------------------------------------------------------------------------------

    @route("GET /openApi/swap/v1/positionSide/dual", costs=costs("dual", "queries"))
    def mode(self, call: Call) -> Any:
        mode = self.linear.book(call.account).position_mode
        return ok({"dualSidePosition": next(name for name, each in MODES.items() if each is mode)})

    @route("POST /openApi/swap/v1/positionSide/dual", costs=costs("dual", "queries"))
    def switch_mode(self, call: Call) -> Any:
        mode = call.one_of("dualSidePosition", MODES)
        if self.linear.book(call.account).position_mode is not mode:
            self.linear.set_position_mode(call.account, mode)
        return ok({"dualSidePosition": call.text("dualSidePosition")})

    @route("GET /openApi/swap/v2/trade/leverage", costs=costs("leverage", "queries"))
    def leverage(self, call: Call) -> Any:
        market = self.linear.market(call.text("symbol"))
        now, most = int(self.linear.leverage(call.account, market)), int(market.max_leverage)
        told = {"longLeverage": now, "shortLeverage": now, "maxLongLeverage": most, "maxShortLeverage": most}
        return ok(told | self._available(call.account, market))

    def _available(self, account: Account, market: Market) -> dict[str, str]:
        """What the leverage of a side allows to open."""
        leverage, price = self.linear.leverage(account, market), self.linear.bid(market)
        value = max(account.free(self.linear.wallet, market.quote), ZERO) * leverage
        told = {"Val": text(value), "Vol": text(floor_to(value / price, market.step))}
        return {f"{start}{side}{end}": told[end] for side in ("Long", "Short") for start, end in AVAILABLE}

    @route("POST /openApi/swap/v2/trade/leverage", costs=costs("set", "orders"))
    def set_leverage(self, call: Call) -> Any:
        """Of one side in hedge mode there; both sides have one leverage here."""
        hedged = call.one_of("side", POSITION_SIDES) is not None
        if hedged != (self.linear.book(call.account).position_mode is PositionMode.HEDGE):
            raise Rejected(Reason.POSITION_MODE)
        self.linear.set_leverage(call.account, call.text("symbol"), D(call.integer("leverage")))
        told = {"leverage": call.integer("leverage"), "symbol": call.text("symbol")}
        return ok(told | self._available(call.account, self.linear.market(call.text("symbol"))))

    @route("GET /openApi/swap/v2/trade/marginType", costs=costs("marginType", "queries"))
    def margin_type(self, call: Call) -> Any:
        mode = self.linear.margin_mode(call.account, self.linear.market(call.text("symbol")))
        return ok({"marginType": next(name for name, each in MARGINS.items() if each is mode)})

    @route("POST /openApi/swap/v2/trade/marginType", costs=costs("set", "orders"))
    def set_margin_type(self, call: Call) -> Any:
        market, mode = self.linear.market(call.text("symbol")), call.one_of("marginType", MARGINS)
        if self.linear.margin_mode(call.account, market) is not mode:
            self.linear.set_margin_mode(call.account, market.symbol, mode)
        return {"code": 0, "msg": ""}

    @route("GET /openApi/v1/account/apiPermissions", costs=costs("account", "queries"))
    def permissions(self, call: Call) -> Any:
        rights = call.account.permissions
        return ok(
            {
                "ipRestrict": False,
                "createTime": call.account.created_ms,
                "enableReading": True,
                "enableSpotAndMarginTrading": "trade" in rights,
                "enableFutures": "trade" in rights,
                "enableWithdrawals": "withdraw" in rights,
            }
        )

    @route("GET /openApi/wallets/v1/capital/config/getall", costs=costs("account", "queries"))
    def coins(self, call: Call) -> Any:
        return ok([])


def _number_of(position: Position) -> str:
    return f"{position.updated_ms}"
