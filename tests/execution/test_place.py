"""Jobs against the sandbox: what stands on the exchange afterwards, and what the results say."""

import re
from dataclasses import replace
from decimal import Decimal as D

import pytest
from django.utils import timezone

from accounts.families import region_of
from exchanges.registry import venue_class
from exchanges.symbols import InstrumentTable
from exchanges.types import Environment
from execution import book, entry, errand, place, reconcile
from execution.models import Bracket, BracketState, Order

FUTURES = [
    ("Binance_F", "binance", "BTCUSDT"),
    ("ByBit_F", "bybit", "BTCUSDT"),
    ("Kraken_F", "kraken_futures", "PF_XBTUSD"),
]
SPOT = [("Binance", "binance"), ("ByBit", "bybit"), ("Kraken", "kraken")]


@pytest.mark.parametrize(("venue", "family", "symbol"), FUTURES)
@pytest.mark.parametrize("side", ["long", "short"])
def test_an_entry_is_filled_and_protected_from_its_fill_price(desk, venue, family, symbol, side):
    result = desk.one(f"BTCUSDT on {venue} market {side} 0.01 sl off 2% tp off 5%")
    assert (result["status"], result["error"], result["filled"]) == ("filled", None, "0.01")
    assert (result["instrument"], result["side"]) == (symbol, side)
    fill = D(result["average_price"])
    stop, (target,) = result["protection"]["stop"], result["protection"]["targets"]
    sign = 1 if side == "long" else -1
    assert abs(D(stop["price"]) - fill * (1 - sign * D("0.02"))) < 1
    assert abs(D(target["price"]) - fill * (1 + sign * D("0.05"))) < 1
    assert result["protection"]["status"] == "armed"
    standing = desk.open_orders(venue, family)
    assert sorted(D(order["trigger_price"]) for order in standing) == sorted(
        [D(stop["price"]), D(target["price"])]
    )
    (position,) = desk.state(venue, family)["positions"]
    assert D(position["quantity"]) == D("0.01")


@pytest.mark.parametrize(("venue", "family", "symbol"), FUTURES)
@pytest.mark.parametrize(("price", "left"), [("48000", "stop"), ("53500", "target")])
def test_when_one_leg_fills_the_other_is_cancelled(desk, venue, family, symbol, price, left):
    desk.one(f"BTCUSDT on {venue} market long 0.01 sl off 2% tp off 5%")
    desk.sandbox.price("BTC/USDT", price)
    desk.supervise(2)
    assert desk.open_orders(venue, family) == []
    assert desk.state(venue, family)["positions"] == []
    bracket = desk.bracket()
    assert bracket.status == BracketState.DONE
    assert [leg["kind"] for leg in bracket.legs if leg["status"] == "filled"] == [left]


@pytest.mark.parametrize(("venue", "family", "symbol"), FUTURES)
def test_a_close_leaves_nothing_behind(desk, venue, family, symbol):
    desk.one(f"BTCUSDT on {venue} market long 0.01 sl off 2% tp off 5%")
    result = desk.one(f"BTCUSDT on {venue} close long 100%")
    assert (result["status"], result["error"], result["filled"]) == ("filled", None, "0.01")
    assert desk.open_orders(venue, family) == []
    assert desk.state(venue, family)["positions"] == []
    assert desk.bracket().status == BracketState.DONE


@pytest.mark.parametrize(("venue", "family", "symbol"), FUTURES)
def test_a_partial_close_resizes_the_legs(desk, venue, family, symbol):
    desk.one(f"BTCUSDT on {venue} market long 0.02 sl off 2% tp off 5%")
    desk.one(f"BTCUSDT on {venue} close 50%")
    desk.supervise(3)
    assert {D(order["quantity"]) for order in desk.open_orders(venue, family)} == {D("0.01")}
    assert len(desk.open_orders(venue, family)) == 2


@pytest.mark.parametrize(("venue", "family", "symbol"), FUTURES)
def test_a_close_without_a_position_is_nothing_to_do(desk, venue, family, symbol):
    assert desk.one(f"BTCUSDT on {venue} close long 100%")["status"] == "nothing_to_do"


@pytest.mark.parametrize(("venue", "family", "symbol"), FUTURES)
def test_a_limit_entry_is_protected_when_it_fills(desk, venue, family, symbol):
    result = desk.one(f"BTCUSDT on {venue} limit long 0.01 @ 49000 sl at 48000 tp at 52000")
    assert (result["status"], result["protection"]["status"]) == ("open", "pending")
    desk.supervise()
    assert len(desk.open_orders(venue, family)) == 1
    desk.sandbox.price("BTC/USDT", "48900")
    desk.supervise(2)
    assert sorted(D(order["trigger_price"]) for order in desk.open_orders(venue, family)) == [
        D(48000),
        D(52000),
    ]
    assert desk.bracket().status == BracketState.ARMED


@pytest.mark.parametrize(("venue", "family", "symbol"), FUTURES)
def test_a_stop_entry_is_protected_when_it_triggers(desk, venue, family, symbol):
    result = desk.one(f"BTCUSDT on {venue} stop long 0.01 at 51000 sl off 1%")
    assert (result["status"], result["error"]) == ("open", None)
    desk.sandbox.price("BTC/USDT", "51100")
    desk.supervise(2)
    (stop,) = desk.open_orders(venue, family)
    assert D(50500) < D(stop["trigger_price"]) < D(50700)
    assert desk.bracket().status == BracketState.ARMED


@pytest.mark.parametrize(("venue", "family", "symbol"), FUTURES)
def test_go_reaches_the_wanted_position_and_repeats_change_nothing(desk, venue, family, symbol):
    desk.one(f"BTCUSDT on {venue} go long 0.02 sl off 2%")
    again = desk.one(f"BTCUSDT on {venue} go long 0.02 sl off 2%")
    assert (again["status"], again["error"]) == ("nothing_to_do", None)
    less = desk.one(f"BTCUSDT on {venue} go long 0.01")
    assert (less["status"], less["filled"]) == ("filled", "0.01")
    turned = desk.one(f"BTCUSDT on {venue} go short 0.01 sl off 2%")
    assert (turned["status"], turned["error"]) == ("filled", None)
    (position,) = desk.state(venue, family)["positions"]
    assert (position["direction"], D(position["quantity"])) == ("short", D("0.01"))
    desk.supervise(2)
    assert len(desk.open_orders(venue, family)) == 1
    assert desk.one(f"BTCUSDT on {venue} go flat 0")["status"] == "filled"
    assert desk.state(venue, family)["positions"] == []
    assert desk.open_orders(venue, family) == []


def test_a_sender_whose_clock_is_ahead_does_not_have_the_last_word(desk):
    desk.one("sent 2099-01-01T00:00:00Z BTCUSDT on Binance_F go long 0.02")
    assert desk.one("sent 2098-01-01T00:00:00Z BTCUSDT on Binance_F go flat")["status"] == "filled"
    assert desk.state("Binance_F", "binance")["positions"] == []


@pytest.mark.parametrize(("venue", "family", "symbol"), FUTURES)
def test_reverse_turns_the_position_with_new_protection(desk, venue, family, symbol):
    desk.one(f"BTCUSDT on {venue} market long 0.01 sl off 2% tp off 4%")
    result = desk.one(f"BTCUSDT on {venue} reverse sl off 2% tp off 4%")
    assert (result["status"], result["error"]) == ("filled", None)
    (position,) = desk.state(venue, family)["positions"]
    assert position["direction"] == "short"
    desk.supervise(2)
    assert {order["side"] for order in desk.open_orders(venue, family)} == {"buy"}
    assert len(desk.open_orders(venue, family)) == 2


@pytest.mark.parametrize(("venue", "family", "symbol"), FUTURES)
def test_several_targets_and_the_stop_follows_what_remains(desk, venue, family, symbol):
    desk.one(
        f"BTCUSDT on {venue} market long 0.03 sl off 2% tp1 off 2% for 50% tp2 off 4% for 30% tp3 off 6% for rest"
    )
    quantities = sorted(D(order["quantity"]) for order in desk.open_orders(venue, family))
    assert quantities == [D("0.006"), D("0.009"), D("0.015"), D("0.03")]
    desk.sandbox.price("BTC/USDT", "51500")
    desk.supervise(3)
    quantities = sorted(D(order["quantity"]) for order in desk.open_orders(venue, family))
    assert quantities == [D("0.006"), D("0.009"), D("0.015")]
    desk.sandbox.price("BTC/USDT", "54000")
    desk.supervise(3)
    assert desk.open_orders(venue, family) == []
    assert desk.bracket().status == BracketState.DONE


@pytest.mark.parametrize(("venue", "family", "symbol"), FUTURES)
def test_the_stop_of_an_open_position_can_be_set_moved_and_removed(desk, venue, family, symbol):
    desk.one(f"BTCUSDT on {venue} market long 0.01")
    assert desk.one(f"BTCUSDT on {venue} sl off 1% tp off 3%")["status"] == "done"
    assert len(desk.open_orders(venue, family)) == 2
    moved = desk.one(f"BTCUSDT on {venue} sl 49800 tp none")
    assert (moved["status"], moved["error"]) == ("done", None)
    desk.supervise(2)
    (stop,) = desk.open_orders(venue, family)
    assert D(stop["trigger_price"]) == D(49800)
    desk.one(f"BTCUSDT on {venue} cancel all")
    desk.supervise(2)
    assert desk.open_orders(venue, family) == []
    assert not Bracket.objects.filter(user=desk.user).exclude(status=BracketState.DONE).exists()


@pytest.mark.parametrize(("venue", "family", "symbol"), FUTURES)
def test_cancel_takes_entries_and_leaves_stops(desk, venue, family, symbol):
    desk.one(f"BTCUSDT on {venue} market long 0.01 sl off 2%")
    desk.one(f"BTCUSDT on {venue} limit long 0.01 @ 45000 tag breakout1")
    desk.one(f"BTCUSDT on {venue} limit long 0.01 @ 44000")
    assert desk.one(f"BTCUSDT on {venue} cancel entries tag breakout1")["status"] == "cancelled"
    assert len(desk.open_orders(venue, family)) == 2
    assert desk.one(f"BTCUSDT on {venue} cancel entries")["status"] == "cancelled"
    assert len(desk.open_orders(venue, family)) == 1
    assert desk.one(f"BTCUSDT on {venue} cancel entries")["status"] == "nothing_to_do"


@pytest.mark.parametrize(("venue", "family", "symbol"), FUTURES)
def test_a_position_closed_by_hand_loses_its_legs(desk, venue, family, symbol):
    desk.one(f"BTCUSDT on {venue} market long 0.01 sl off 2% tp off 5%")
    desk.one(f"BTCUSDT on {venue} market sell 0.01 reduce")
    desk.supervise(4)
    assert desk.open_orders(venue, family) == []
    assert desk.bracket().status == BracketState.DONE


@pytest.mark.parametrize(("venue", "family", "symbol"), FUTURES)
@pytest.mark.parametrize(("policy", "open_positions"), [("close", 0), ("keep", 1)])
def test_a_stop_the_exchange_refuses_meets_the_hooks_policy(
    desk, venue, family, symbol, policy, open_positions
):
    desk.sandbox.fault("reject_stop", venue=venue, rate=1)
    result = desk.one(f"BTCUSDT on {venue} market long 0.01 sl off 2%", stop_policy=policy)
    assert result["error"]["code"] == "PROTECTION_FAILED"
    assert "could not be placed" in result["error"]["message"]
    assert not re.search(r"\.\d*0 closed", result["error"]["message"])
    assert len(desk.state(venue, family)["positions"]) == open_positions
    assert desk.bracket().status == (BracketState.FAILED if open_positions else BracketState.DONE)


@pytest.mark.parametrize(("venue", "family"), SPOT)
def test_spot_buys_protects_and_sells(desk, venue, family):
    bought = desk.one(f"BTCUSDT on {venue} market long 0.01 sl off 2% tp off 5%")
    assert (bought["status"], bought["error"], bought["protection"]["status"]) == ("filled", None, "armed")
    assert desk.open_orders(venue, family)
    sold = desk.one(f"BTCUSDT on {venue} close 100%")
    assert (sold["status"], sold["error"]) == ("filled", None)
    assert desk.open_orders(venue, family) == []


@pytest.mark.parametrize(("venue", "family"), SPOT)
@pytest.mark.parametrize("price", ["48000", "53500"])
def test_spot_legs_end_each_other(desk, venue, family, price):
    desk.one(f"BTCUSDT on {venue} market long 0.01 sl off 2% tp off 5%")
    desk.sandbox.price("BTC/USDT", price)
    desk.supervise(3)
    assert desk.open_orders(venue, family) == []
    assert desk.bracket().status == BracketState.DONE


@pytest.mark.parametrize(("venue", "family"), SPOT)
def test_spot_buys_for_an_amount_of_quote(desk, venue, family):
    result = desk.one(f"BTCUSDT on {venue} buy 1000$")
    assert (result["status"], result["error"]) == ("filled", None)
    spent = D(result["filled"]) * D(result["average_price"])
    assert D(990) < spent <= D(1001)


def test_dollars_are_spent_to_the_cent(make_desk):
    """A placeholder of TradingView brings fourteen decimals, more than any exchange takes."""
    desk = make_desk(families=("phemex",))
    result = desk.one("BTCUSDT on Phemex buy 1000.12345678901234$")
    assert (result["status"], result["error"]) == ("filled", None)


@pytest.mark.parametrize(("venue", "family"), SPOT)
@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("market long 0.01 lev 5x", "lev"),
        ("market sell 0.01 sl off 2%", "sl"),
        ("reverse", "reverse"),
        ("buy 3 contracts", "3 contracts"),
        ("close 3c", "3c"),
    ],
)
def test_what_spot_has_not_is_refused_at_the_word(desk, venue, family, text, word):
    message = f"BTCUSDT on {venue} {text}"
    error = desk.one(message)["error"]
    assert error["code"] == "NOT_ON_SPOT"
    assert message[error["column"] - 1 :].startswith(word)


def test_a_leverage_that_only_the_exchange_knows_to_be_too_high_is_refused_at_the_word(make_desk):
    desk = make_desk(families=("binance",))
    for text in ("market long 0.01 lev 999x", "go long 0.01 lev 999x", "lev 999x"):
        message = f"BTCUSDT on Binance_F {text}"
        error = desk.one(message)["error"]
        assert (error["code"], error["exchange_code"]) == ("INVALID_ORDER", "-4028")
        assert message[error["column"] - 1 :].startswith("lev")
        assert "write another one" in error["hint"]


@pytest.mark.parametrize(("text", "word"), [("close", "close"), ("close long 90%", "90%"), ("go flat", "go")])
def test_a_position_too_large_for_one_order_is_closed_in_parts(make_desk, text, word):
    desk = make_desk(families=("binance",), balances={"USDT": "20000000"})
    for _ in range(2):
        assert desk.one("BTCUSDT on Binance_F market long 75")["error"] is None
    message = f"BTCUSDT on Binance_F {text}"
    error = desk.one(message)["error"]
    assert (error["code"], error["exchange_code"]) == ("ABOVE_MAX_SIZE", "-4005")
    assert message[error["column"] - 1 :].startswith(word)
    assert error["hint"].startswith("close it in parts: close 120")
    assert [desk.one(f"BTCUSDT on Binance_F {part}")["error"] for part in ("close 120", text)] == [None, None]


def test_hedge_mode_is_read_and_obeyed(make_desk):
    desk = make_desk(families=("binance", "bybit"), position_mode="hedge")
    for venue, family in (("Binance_F", "binance"), ("ByBit_F", "bybit")):
        desk.one(f"BTCUSDT on {venue} market long 0.02 sl off 2%")
        short = desk.one(f"BTCUSDT on {venue} market short 0.01 sl off 2%")
        assert (short["status"], short["error"]) == ("filled", None)
        positions = {
            each["direction"]: D(each["quantity"]) for each in desk.state(venue, family)["positions"]
        }
        assert positions == {"long": D("0.02"), "short": D("0.01")}
        assert desk.one(f"BTCUSDT on {venue} close short")["error"] is None
        (stop,) = desk.open_orders(venue, family)
        assert stop["side"] == "sell"


def test_one_message_over_three_exchanges(desk):
    results = desk.send(
        "BTCUSDT on Binance_F market long 0.01 BTCUSDT on ByBit_F market long 0.01 BTCUSDT on Kraken_F market long 0.01"
    )
    assert [(each["venue"], each["region"], each["status"]) for each in results] == [
        ("Binance_F", "tokyo", "filled"),
        ("ByBit_F", "singapore", "filled"),
        ("Kraken_F", "eu", "filled"),
    ]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("BTCUSTD on Binance_F market long 0.01", "UNKNOWN_SYMBOL"),
        ("BTCUSDT on Binance_F market long 0.00001", "BELOW_MIN_SIZE"),
        ("BTCUSDT on Binance_F market long 20$", "BELOW_MIN_NOTIONAL"),
        ("BTCUSDT on Binance_F market long 0.01 sl at 70000", "STOP_WRONG_SIDE"),
        ("BTCUSDT on Binance_F market long 0.01 tp at 40000", "TP_WRONG_SIDE"),
        ("BTCUSDT on Binance_F sl off 1%", "NO_POSITION"),
        ("BTCUSDT on Binance_F reverse", "NO_POSITION"),
        ("BTCUSDT on Binance_FT market long 0.01", "NO_ACCOUNT"),
    ],
)
def test_a_refused_command_says_why_and_leaves_nothing(desk, text, code):
    result = desk.one(text)
    assert result["status"] == "rejected"
    assert result["error"]["code"] == code
    assert desk.state("Binance_F", "binance")["orders"] == []
    assert desk.state("Binance_F", "binance")["positions"] == []


@pytest.mark.parametrize(("venue", "family", "symbol"), FUTURES)
def test_a_lack_of_funds_says_how_much_is_free(make_desk, venue, family, symbol):
    asset = "USD" if family == "kraken_futures" else "USDT"
    desk = make_desk(families=(family,), balances={asset: "100"})
    error = desk.one(f"BTCUSDT on {venue} market long 1 lev 1x")["error"]
    assert error["code"] == "NOT_ENOUGH_BALANCE"
    assert f"(free: 100 {asset})" in error["message"]
    assert desk.state(venue, family)["positions"] == []


@pytest.mark.parametrize("dry_run", [True, False])
@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("ETHBTC on Binance buy 1$", "1$"),
        ("ETHBTC on Binance market sell 1 usdt", "1 usdt"),
        ("ETHBTC on Kraken limit long 0.5 usd at 0.05", "0.5 usd"),
        ("ETHBTC on Kraken long risk 50$ sl off 2%", "risk 50$"),
        ("ETHBTC on Binance go long $1", "$1"),
        ("ETHBTC on Binance close 10$", "10$"),
    ],
)
def test_dollars_are_refused_where_prices_are_in_something_else(make_desk, text, word, dry_run):
    desk = make_desk(families=("binance", "kraken"), balances={"BTC": "1", "ETH": "1"})
    result = desk.one(text, dry_run=dry_run)
    error = result["error"]
    assert (result["status"], error["code"]) == ("rejected", "OTHER_CURRENCY")
    assert text[error["column"] - 1 :][: error["length"]] == word
    for venue in ("Binance", "Kraken"):
        assert desk.state(venue, venue.lower())["orders"] == []


def test_where_one_step_is_refused_for_its_currency_none_is_done(make_desk):
    desk = make_desk(families=("binance",), balances={"BTC": "1"})
    desk.one("ETHBTC on Binance limit long 0.1 at 0.01")
    results = desk.send("ETHBTC on Binance cancel all buy 1$")
    assert [each["error"]["code"] for each in results] == ["OTHER_CURRENCY"] * 2
    assert len(desk.open_orders("Binance", "binance")) == 1


def test_two_names_of_one_market_are_traded_once(desk):
    text = "BTCUSDT, ETHUSDT, BTCUSDC on Kraken_F market long 0.01"
    first, other, second = desk.send(text)
    assert (first["status"], other["status"], second["status"]) == ("filled", "filled", "rejected")
    error = second["error"]
    assert error["code"] == "SAME_MARKET"
    assert text[error["column"] - 1 :][: error["length"]] == "BTCUSDC"
    held = {
        each["symbol"]: D(each["quantity"]) for each in desk.state("Kraken_F", "kraken_futures")["positions"]
    }
    assert held == {"PF_XBTUSD": D("0.01"), "PF_ETHUSD": D("0.01")}


def test_two_markets_of_one_coin_are_two(desk):
    results = desk.send("BTCUSDT, BTCUSDC on Binance_F market long 0.01")
    assert [each["instrument"] for each in results] == ["BTCUSDT", "BTCUSDC"]
    assert [each["status"] for each in results] == ["filled", "filled"]


def test_unknown_symbols_come_with_suggestions(desk):
    assert "BTCUSDT" in desk.one("BTCUSTD on Binance_F market long 0.01")["error"]["hint"]


def test_percent_of_equity_ignores_leverage_and_margin_does_not(make_desk):
    desk = make_desk(families=("binance",), balances={"USDT": "10000"})
    plain = desk.one("BTCUSDT on Binance_F market long 5% lev 10x")
    margin = desk.one("ETHUSDT on Binance_F market long 5% margin 10x isolated")
    assert (plain["error"], D(plain["filled"])) == (None, D("0.009"))
    assert D(4900) < D(margin["filled"]) * D(margin["average_price"]) <= D(5000)


def test_risk_sizes_the_order_so_that_the_stop_costs_it(make_desk):
    desk = make_desk(families=("binance",), balances={"USDT": "10000"})
    result = desk.one("BTCUSDT on Binance_F market long risk 1% sl off 2% tp off 3R")
    assert D(result["filled"]) == D("0.099")
    stop, target = result["protection"]["stop"], result["protection"]["targets"][0]
    fill = D(result["average_price"])
    assert abs((D(target["price"]) - fill) - 3 * (fill - D(stop["price"]))) < 1


def test_a_dry_run_shows_the_orders_and_sends_nothing(desk):
    result = desk.one("dry run BTCUSDT on Binance_F market long 0.01 sl off 2% tp off 5%")
    assert result["status"] == "dry_run"
    assert [order["method"] for order in result["would_send"]] == ["POST", "POST", "POST"]
    assert "signature" not in str(result["would_send"])
    assert desk.state("Binance_F", "binance")["orders"] == []


def test_a_guard_that_does_not_hold_skips_what_follows(desk):
    assert desk.one("BTCUSDT on Binance_F if flat market long 0.01")["status"] == "filled"
    assert desk.one("BTCUSDT on Binance_F if flat market long 0.01")["status"] == "skipped"


def test_an_answer_that_is_lost_is_looked_up_and_never_sent_again(desk):
    desk.sandbox.fault("drop_after", venue="Binance_F", path="order", count=1, rate=1)
    result = desk.one("BTCUSDT on Binance_F market long 0.01 sl off 2%")
    assert (result["status"], result["error"]) == ("filled", None)
    (position,) = desk.state("Binance_F", "binance")["positions"]
    assert D(position["quantity"]) == D("0.01")


def test_a_job_delivered_twice_runs_once(desk):
    from execution.place import run

    desk.one("BTCUSDT on Binance_F market long 0.01")
    (job,) = desk.jobs
    run(job.dump())
    (position,) = desk.state("Binance_F", "binance")["positions"]
    assert D(position["quantity"]) == D("0.01")


def test_the_kill_switch_flattens_and_cancels_everything(desk):
    desk.one("BTCUSDT on Binance_F market long 0.01 sl off 2%")
    desk.one("ETHUSDT on Binance_F market short 0.5 sl off 2%")
    desk.one("SOLUSDT on Binance_F limit long 5 @ 50")
    closed, cancelled = desk.send("* on Binance_F close all cancel all")
    assert (closed["status"], closed["error"]) == ("filled", None)
    assert cancelled["error"] is None
    assert desk.state("Binance_F", "binance")["positions"] == []
    assert desk.open_orders("Binance_F", "binance") == []


def unlisted(venue, symbol):
    """What the sandbox still trades, and the venue no longer lists: as a dated contract is."""
    connection = book.pool().connection(venue, Environment.SANDBOX)
    listed = [each for each in connection.table.instruments if each.symbol != symbol]
    connection._table = InstrumentTable(listed)


def test_a_close_of_everything_leaves_what_it_cannot_trade_and_says_so(desk):
    desk.one("BTCUSDT on Binance_F market long 0.01 sl off 2%")
    desk.one("ETHUSDT on Binance_F market short 0.5")
    desk.one("SOLUSDT on Binance_F market long 5")
    desk.one("XRPUSDT on Binance_F limit long 50 @ 0.1")
    unlisted("Binance_F", "ETHUSDT")
    closed, cancelled = desk.send("* on Binance_F close all cancel all")
    assert (closed["status"], closed["error"]["code"]) == ("partially_filled", "LEFT_OPEN")
    assert "ETHUSDT" in closed["error"]["message"]
    assert "is not traded on Binance_F" in closed["error"]["message"]
    assert "all else was closed" in closed["error"]["message"]
    state = desk.state("Binance_F", "binance")
    assert [each["symbol"] for each in state["positions"]] == ["ETHUSDT"]
    assert (cancelled["error"], desk.open_orders("Binance_F", "binance")) == (None, [])


def test_a_close_of_everything_names_what_nobody_took(desk):
    desk.one("BTCUSDT on Binance_F market long 0.02 sl off 2%")
    desk.sandbox.fault("partial_fill", venue="Binance_F", path="POST /fapi/v1/order ", count=1)
    closed = desk.one("* on Binance_F close all")
    assert (closed["status"], closed["error"]["code"]) == ("partially_filled", "LEFT_OPEN")
    assert "BTCUSDT: 0.01 of it did not fill" in closed["error"]["message"]
    assert "send it again" in closed["error"]["hint"]


def test_a_close_of_everything_that_can_close_nothing_is_refused(desk):
    desk.one("ETHUSDT on Binance_F market short 0.5")
    unlisted("Binance_F", "ETHUSDT")
    closed = desk.one("* on Binance_F close all")
    assert (closed["status"], closed["error"]["code"]) == ("rejected", "LEFT_OPEN")
    assert "nothing else was open" in closed["error"]["message"]


@pytest.mark.parametrize(("venue", "family"), SPOT)
def test_what_a_partial_close_on_spot_leaves_is_protected_again(make_desk, venue, family):
    """The stop held the balance and had to go first; it comes back for what is left."""
    desk = make_desk(families=(family,), balances={"USDT": "10000"})
    desk.one(f"BTCUSDT on {venue} market long 0.01 sl off 2% tp off 5%")
    closed = desk.one(f"BTCUSDT on {venue} close 50%")
    assert (closed["status"], closed["error"]) == ("filled", None)
    desk.supervise()
    stops = [order for order in desk.open_orders(venue, family) if order["type"] == "stop"]
    assert [D(order["trigger_price"]) for order in stops] == [D(49000)]
    assert D("0.0049") < D(stops[0]["quantity"]) <= D("0.005")
    assert [leg["kind"] for leg in desk.bracket().legs if leg["status"] in ("open", "watched")] == [
        "stop",
        "target",
    ]


@pytest.mark.parametrize(("venue", "family"), SPOT)
def test_a_close_on_spot_that_is_refused_leaves_the_stop_in_place(make_desk, venue, family):
    desk = make_desk(families=(family,), balances={"USDT": "10000"})
    desk.one(f"BTCUSDT on {venue} market long 0.01 sl off 2%")
    refused = desk.one(f"BTCUSDT on {venue} close 0.000001%")
    assert refused["error"]["code"] == "BELOW_MIN_SIZE"
    assert [order["type"] for order in desk.open_orders(venue, family)] == ["stop"]
    # enough for flipr, not for the exchange's minimum: sent, and refused there
    refused = desk.one(f"BTCUSDT on {venue} close 0.2%")
    assert refused["error"] is not None
    desk.supervise()
    (stop,) = desk.open_orders(venue, family)
    assert D("0.0099") < D(stop["quantity"]) <= D("0.01")


QUOTED = "planted-secret"


def broken(*_args, **_options):
    raise ZeroDivisionError(QUOTED)


def test_a_mistake_before_anything_was_sent_is_told_as_not_sent(make_desk, monkeypatch, caplog):
    desk = make_desk(families=("binance",))
    monkeypatch.setattr(errand, "enter", broken)
    first, second = desk.send("BTCUSDT on Binance_F market long 0.01; close")
    assert (first["status"], first["error"]["code"]) == ("not_sent", "NOT_SENT")
    assert (second["status"], second["error"]["code"]) == ("not_sent", "STEP_SKIPPED")
    assert desk.state("Binance_F", "binance")["orders"] == []
    assert "ZeroDivisionError" in caplog.text
    assert QUOTED not in caplog.text


def test_a_mistake_after_the_fill_is_looked_into_at_once_and_the_stop_is_placed(make_desk, monkeypatch):
    desk = make_desk(families=("binance",))
    with monkeypatch.context() as patch:
        patch.setattr(entry, "protect_fill", broken)
        result = desk.one("BTCUSDT on Binance_F market long 0.01 sl off 2%")
    assert (result["status"], result["error"]["code"]) == ("unknown", "OUTCOME_UNKNOWN")
    Order.objects.filter(user=desk.user).update(created_at=timezone.now() - reconcile.GRACE)
    account = desk.accounts["binance"].public_id
    assert reconcile.due(region_of(venue_class("Binance_F"))) == [(account, "Binance_F")]
    reconcile.look_into(region_of(venue_class("Binance_F")), account, "Binance_F")
    assert Order.objects.get(user=desk.user).status == "filled"
    (stop,) = desk.open_orders("Binance_F", "binance")
    assert stop["type"] == "stop"


def test_a_mistake_outside_the_steps_leaves_none_without_an_end(make_desk, monkeypatch):
    desk = make_desk(families=("binance",))
    monkeypatch.setattr(place, "open_desk", broken)
    assert desk.one("BTCUSDT on Binance_F market long 0.01")["status"] == "not_sent"


@pytest.mark.parametrize("dry_run", [True, False])
@pytest.mark.parametrize(
    "text", ["DOGEUSDT on Binance market buy 9e20$", "ETHBTC on Binance market buy 9e19"]
)
def test_an_amount_that_history_could_not_hold_is_refused_before_sending(make_desk, text, dry_run):
    desk = make_desk(families=("binance",), balances={"BTC": "1"})
    desk.sandbox.price("ETH/BTC", "0.05")
    result = desk.one(text, dry_run=dry_run)
    assert (result["status"], result["error"]["code"]) == ("rejected", "ABOVE_MAX_SIZE")
    assert desk.state("Binance", "binance")["orders"] == []


@pytest.mark.parametrize("words", ["close", "close long"])
def test_one_answer_without_a_position_takes_no_stop_away(desk, wire, words):
    desk.one("BTCUSDT on Binance_F market long 0.01 sl off 2%")
    left = [1]

    def act(line, send):
        answer = send()
        if "positionRisk" not in line or not left:
            return answer
        left.pop()
        return replace(answer, data=[])

    wire(act)
    assert desk.one(f"BTCUSDT on Binance_F {words}")["status"] == "filled"
    assert desk.state("Binance_F", "binance")["positions"] == []
