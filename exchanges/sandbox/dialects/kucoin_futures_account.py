"""Positions of KuCoin futures, their settings, fees and money; nothing of orders. https://www.kucoin.com/docs-new/."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from exchanges.sandbox.dialect import route
from exchanges.sandbox.dialects.kucoin_frame import KuCoinFrame, ok, page
from exchanges.sandbox.ledger import Account, Position
from exchanges.sandbox.model import ZERO, Fill, text
from exchanges.sandbox.wire import Call
from exchanges.types import Direction, MarginMode, PositionMode, Side

D = Decimal
MARGIN = {mode.upper(): mode for mode in MarginMode}
DIRECTIONS = {"BOTH": None, "LONG": Direction.LONG, "SHORT": Direction.SHORT}
DIRECTION_WORDS = {direction: name for name, direction in DIRECTIONS.items()}
POSITION_MODES = {"0": PositionMode.ONE_WAY, "1": PositionMode.HEDGE}


class KuCoinFuturesAccount(KuCoinFrame):
    # -- positions -------------------------------------------------------------------------------------

    @route("GET /api/v1/positions")
    def positions(self, call: Call) -> Any:
        book = self.desk.book(call.account)
        return ok([self._position_row(call, each) for each in book.open_positions()])

    @route("GET /api/v2/position")
    def positions_of(self, call: Call) -> Any:
        held, symbol = self.desk.book(call.account).open_positions(), call.text("symbol")
        return ok([self._position_row(call, each) for each in held if each.market.symbol == symbol])

    @route("GET /api/v1/history-positions")
    def position_history(self, call: Call) -> Any:
        """Newest first, a row for each fill that closed something."""
        rows = [self._closed_row(call.account, fill) for _, fill in self.traded(call) if fill.closed]
        return ok(page(call, rows))

    def _closed_row(self, account: Account, fill: Fill) -> dict[str, Any]:
        market, fee = self.desk.market(fill.symbol), fill.fee * fill.closed / fill.quantity
        return {
            "closeId": str(fill.id),
            "userId": "1",
            "symbol": fill.symbol,
            "settleCurrency": market.quote,
            "leverage": text(self.desk.leverage(account, market)),
            "type": "CLOSE_LONG" if fill.side is Side.SELL else "CLOSE_SHORT",
            "side": "LONG" if fill.side is Side.SELL else "SHORT",
            "pnl": text(fill.realised - fee),
            "realisedGrossCost": text(-fill.realised),
            "realisedGrossCostNew": text(-fill.realised),
            "withdrawPnl": "0",
            "tradeFee": text(fee),
            "fundingFee": "0",
            "openTime": fill.time_ms,
            "closeTime": fill.time_ms,
            "openPrice": text(fill.opened_at(market)),
            "closePrice": text(fill.price),
            "marginMode": self._mode(account, fill.symbol).upper(),
        }

    @route("GET /api/v1/position")
    def position(self, call: Call) -> Any:
        market = self.desk.market(call.text("symbol"))
        return ok(self._position_row(call, self.desk.book(call.account).position(market, None)))

    def _position_row(self, call: Call, position: Position) -> dict[str, Any]:
        market, account = position.market, call.account
        mark, mode = self.desk.bid(market), self._mode(account, market.symbol)
        leverage = self.desk.leverage(account, market)
        cost = position.notional(position.entry_price)
        return {
            "id": f"position-{market.symbol}",
            "symbol": market.symbol,
            "crossMode": mode is MarginMode.CROSS,
            "marginMode": mode.upper(),
            "positionSide": DIRECTION_WORDS[position.side],
            "leverage": leverage,
            "realLeverage": leverage,
            "currentQty": int(position.quantity),
            "currentTimestamp": call.now_ms,
            "isOpen": bool(position.quantity),
            "markPrice": mark,
            "markValue": position.notional(mark),
            "posCost": cost,
            "posInit": cost / leverage,
            "posMargin": cost / leverage,
            "unrealisedPnl": position.unrealised(mark),
            "realisedPnl": position.realised,
            "avgEntryPrice": position.entry_price,
            "liquidationPrice": ZERO,
            "settleCurrency": market.quote,
            "isInverse": False,
        }

    # -- settings and money ----------------------------------------------------------------------------

    @route("GET /api/v2/position/getMarginMode")
    def margin_mode(self, call: Call) -> Any:
        symbol = self.desk.market(call.text("symbol")).symbol
        return ok({"symbol": symbol, "marginMode": self._mode(call.account, symbol).upper()})

    @route("POST /api/v2/position/changeMarginMode")
    def change_margin_mode(self, call: Call) -> Any:
        """Refused while orders or a position stand; the mode it has already is no refusal."""
        symbol, mode = call.text("symbol"), call.one_of("marginMode", MARGIN)
        if self._mode(call.account, symbol) is not mode:
            self.desk.set_margin_mode(call.account, symbol, mode)
        return ok({"symbol": symbol, "marginMode": mode.upper()})

    def _mode(self, account: Account, symbol: str) -> MarginMode:
        return self.desk.book(account).margin_modes.setdefault(symbol, MarginMode.ISOLATED)

    @route("POST /api/v2/changeCrossUserLeverage")
    def change_leverage(self, call: Call) -> Any:
        self.desk.set_leverage(call.account, call.text("symbol"), call.decimal("leverage"))
        return ok(True)

    @route("GET /api/v2/getCrossUserLeverage")
    def cross_leverage(self, call: Call) -> Any:
        market = self.desk.market(call.text("symbol"))
        return ok({"symbol": market.symbol, "leverage": text(self.desk.leverage(call.account, market))})

    @route("GET /api/v2/getMaxOpenSize")
    def max_size(self, call: Call) -> Any:
        """What the free money buys at the price and leverage given."""
        market, account = self.desk.market(call.text("symbol")), call.account
        free = max(account.free(self.rules.wallet, market.quote), ZERO) * call.decimal("leverage")
        size = int(free / market.value(D(1), call.decimal("price")))
        return ok({"symbol": market.symbol, "maxBuyOpenSize": size, "maxSellOpenSize": size})

    @route("GET /api/v1/trade-fees")
    def fees(self, call: Call) -> Any:
        rates = {"takerFeeRate": text(self.rules.taker_fee), "makerFeeRate": text(self.rules.maker_fee)}
        return ok({"symbol": self.desk.market(call.text("symbol")).symbol, **rates})

    @route("GET /api/v2/position/getPositionMode")
    def position_mode(self, call: Call) -> Any:
        hedged = self.desk.book(call.account).position_mode is PositionMode.HEDGE
        return ok({"positionMode": int(hedged)})

    @route("POST /api/v2/position/switchPositionMode")
    def switch_position_mode(self, call: Call) -> Any:
        mode = call.one_of("positionMode", POSITION_MODES)
        if self.desk.book(call.account).position_mode is not mode:
            self.desk.set_position_mode(call.account, mode)
        return ok({"positionMode": int(mode is PositionMode.HEDGE)})

    @route("GET /api/v1/account-overview", costs={"futures": 5})
    def overview(self, call: Call) -> Any:
        account, coin, wallet = call.account, call.text("currency", "XBT"), self.rules.wallet
        total, open_profit = account.total(wallet, coin), account.unrealised(wallet, coin)
        return ok(
            {
                "currency": coin,
                "accountEquity": total + open_profit,
                "marginBalance": total,
                "unrealisedPNL": open_profit,
                "availableBalance": account.free(wallet, coin),
                "frozenFunds": ZERO,
            }
        )
