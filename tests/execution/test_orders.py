"""What orders may say beyond side and size: options, accounts, rules, partial fills."""

from decimal import Decimal as D

import pytest

from accounts import flows
from accounts.models import Account
from exchanges.types import Credentials, Environment
from execution.models import BracketState, Order

FUTURES = [("Binance_F", "binance"), ("ByBit_F", "bybit"), ("Kraken_F", "kraken_futures")]


def quantity_held(desk, venue, family):
    return sum((D(each["quantity"]) for each in desk.state(venue, family)["positions"]), D(0))


@pytest.mark.parametrize(("venue", "family"), FUTURES)
def test_of_a_partial_fill_the_filled_part_is_protected(desk, venue, family):
    desk.sandbox.fault("partial_fill", venue=venue, rate=1, count=1)
    result = desk.one(f"BTCUSDT on {venue} limit long 0.02 @ 50010 ioc sl off 2% tp off 5%")
    assert (result["status"], result["error"]) == ("partially_filled", None)
    held = quantity_held(desk, venue, family)
    assert D(0) < held < D("0.02")
    assert result["protection"]["status"] == "armed"
    assert D(result["protection"]["stop"]["quantity"]) == held


@pytest.mark.parametrize(("venue", "family"), FUTURES)
def test_a_resting_entry_that_fills_in_parts_is_protected_part_by_part(desk, venue, family):
    desk.one(f"BTCUSDT on {venue} limit long 0.02 @ 49000 sl at 48000 tp at 52000")
    desk.sandbox.fault("partial_fill", venue=venue, rate=1, count=1)
    desk.sandbox.price("BTC/USDT", "48990")
    desk.supervise(3)
    held = quantity_held(desk, venue, family)
    stops = [D(each["quantity"]) for each in desk.open_orders(venue, family) if each["type"] == "stop"]
    assert held > 0
    assert stops == [held]


@pytest.mark.parametrize(("venue", "family"), FUTURES)
def test_post_only_rests_and_never_takes(desk, venue, family):
    result = desk.one(f"BTCUSDT on {venue} long 0.01 at 49000 post")
    assert (result["status"], result["error"]) == ("open", None)
    taking = desk.one(f"BTCUSDT on {venue} long 0.01 at 51000 post")
    assert taking["status"] in ("rejected", "cancelled", "expired")
    assert taking["error"]["column"] == len(f"BTCUSDT on {venue} ") + 1
    assert quantity_held(desk, venue, family) == 0


@pytest.mark.parametrize(("venue", "family"), FUTURES)
@pytest.mark.parametrize("option", ["ioc", "fok"])
def test_an_order_that_must_fill_at_once_does_not_rest(desk, venue, family, option):
    result = desk.one(f"BTCUSDT on {venue} limit long 0.01 @ 45000 {option} sl off 2%")
    assert result["status"] in ("cancelled", "expired", "rejected")
    assert result["error"]["column"] == len(f"BTCUSDT on {venue} ") + 1
    assert desk.open_orders(venue, family) == []
    assert result["protection"]["status"] == "none"


@pytest.mark.parametrize(("venue", "family"), FUTURES)
def test_reduce_never_opens_a_position(desk, venue, family):
    result = desk.one(f"BTCUSDT on {venue} market sell 0.01 reduce")
    assert result["status"] != "filled"
    assert quantity_held(desk, venue, family) == 0


def test_using_names_the_accounts_and_each_has_its_result(desk):
    given = desk.sandbox.account("binance")
    flows.add_account(
        desk.user, "binance", "sub1", Environment.SANDBOX, Credentials(given["key"], given["secret"])
    )
    results = desk.send("BTCUSDT, ETHUSDT on Binance_F using main, sub1 market long 1000$ lev 5x sl off 2%")
    assert sorted((each["account"], each["symbol"], each["status"]) for each in results) == [
        ("main", "BTCUSDT", "filled"),
        ("main", "ETHUSDT", "filled"),
        ("sub1", "BTCUSDT", "filled"),
        ("sub1", "ETHUSDT", "filled"),
    ]
    assert len(desk.sandbox.state("Binance_F", given["key"])["positions"]) == 2


def test_of_several_accounts_the_error_points_at_the_one_that_does_not_exist(desk):
    message = 'BTCUSDT on Binance_F using main, "my other" market long 0.01'
    error = desk.send(message)[0]["error"]
    place = message[error["column"] - 1 :][: error["length"]]
    assert (error["code"], place) == ("NO_ACCOUNT", '"my other"')


def test_an_account_that_does_not_exist_is_named_with_those_that_do(desk):
    error = desk.one("BTCUSDT on Binance_F using nobody market long 0.01")["error"]
    assert error["code"] == "NO_ACCOUNT"
    assert "main" in error["hint"]


@pytest.mark.parametrize(
    ("rule", "status", "held"),
    [
        ("net", "filled", "0.01"),
        ("reject", "rejected", "0.02"),
        ("reduce", "filled", "0.01"),
        ("reverse", "filled", "0.01"),
    ],
)
@pytest.mark.parametrize(("venue", "family"), FUTURES)
def test_the_accounts_rule_for_opposite_signals(desk, rule, status, held, venue, family):
    desk.one(f"BTCUSDT on {venue} market long 0.02")
    Account.objects.filter(pk=desk.accounts[family].pk).update(opposite_signal=rule)
    result = desk.one(f"BTCUSDT on {venue} market sell 0.01")
    assert result["status"] == status
    (position,) = desk.state(venue, family)["positions"]
    assert D(position["quantity"]) == D(held)
    assert position["direction"] == ("short" if rule == "reverse" else "long")


@pytest.mark.parametrize("text", ["market long 0.01 sl none tp none", "go long 0.01 sl none"])
def test_protection_that_is_none_is_not_waited_for(make_desk, text):
    desk = make_desk(families=("binance",))
    for status in ("filled", "nothing_to_do" if text.startswith("go") else "filled"):
        result = desk.one(f"BTCUSDT on Binance_F {text}")
        assert (result["status"], result["protection"]["status"]) == (status, "none")


@pytest.mark.parametrize(("venue", "family"), FUTURES)
def test_what_only_reduces_by_the_accounts_rule_has_nothing_to_protect(desk, venue, family):
    desk.one(f"BTCUSDT on {venue} market long 0.02 sl off 2%")
    Account.objects.filter(pk=desk.accounts[family].pk).update(opposite_signal="reduce")
    result = desk.one(f"BTCUSDT on {venue} market sell 0.01 sl off 2% tp off 2%")
    assert (result["status"], result["error"], result["protection"]["status"]) == ("filled", None, "none")
    assert {each["side"] for each in desk.open_orders(venue, family)} == {"sell"}


def test_a_paused_account_is_refused_before_anything_is_sent(desk):
    flows.pause_account(desk.accounts["binance"], "by hand")
    result = desk.one("BTCUSDT on Binance_F market long 0.01")
    assert (result["status"], result["error"]["code"]) == ("rejected", "ACCOUNT_PAUSED")
    assert desk.state("Binance_F", "binance")["calls"] == []


def test_a_key_the_exchange_rejects_says_so(desk):
    broken = Credentials("nobody-knows-this-key", "c2VjcmV0c2VjcmV0")
    flows.replace_key(desk.accounts["binance"], broken)
    result = desk.one("BTCUSDT on Binance_F market long 0.01")
    assert (result["status"], result["error"]["code"]) == ("rejected", "KEY_REFUSED")


def test_the_second_step_is_not_sent_when_the_first_failed(desk):
    first, second = desk.send("BTCUSDT on Binance_F market long 0.00001 market long 0.01")
    assert first["status"] == "rejected"
    assert (second["status"], second["error"]["code"]) == ("not_sent", "STEP_SKIPPED")
    assert desk.state("Binance_F", "binance")["orders"] == []


def test_a_symbol_is_found_in_every_spelling_and_on_every_exchange(desk):
    for symbol in ("BTC/USDT", "BTC-USDT-SWAP", "BTCUSDT.P", "BINANCE:BTCUSDT.P", "xbtusd"):
        assert desk.one(f"{symbol} on Binance_F market long 0.01")["instrument"] == "BTCUSDT"
    assert desk.one("BTCUSDT on Kraken_F market long 0.01")["instrument"] == "PF_XBTUSD"


def test_words_that_are_not_executed_yet_are_refused_at_the_word(desk):
    from execution.rejection import Rejection

    message = "BTCUSDT on Binance_F market long 0.01 sl off 2% trail off 1.5%"
    with pytest.raises(Rejection) as refused:
        desk.send(message)
    assert refused.value.code == "NOT_YET"
    assert refused.value.span is not None
    assert message[refused.value.span.column - 1 :].startswith("trail")
    assert not Order.objects.filter(user=desk.user).exists()


def test_a_stop_that_was_cancelled_by_hand_is_not_placed_again_and_is_told(desk):
    result = desk.one("BTCUSDT on Binance_F market long 0.01 sl off 2%")
    bracket = desk.bracket()
    assert bracket.status == BracketState.ARMED
    from exchanges.types import OrderRef
    from execution.supervise import open_desk

    other = open_desk(desk.accounts["binance"], "Binance_F")
    stop = result["protection"]["stop"]
    other.cancel(
        other.instrument("BTCUSDT"), OrderRef(stop["client_id"], stop["exchange_id"], conditional=True)
    )
    desk.supervise(3)
    bracket.refresh_from_db()
    assert "cancelled on the exchange" in bracket.note
    assert desk.open_orders("Binance_F", "binance") == []


@pytest.mark.parametrize("text", ["sl off 2% tp off 4% for 100$", "sl off 2% for 100$"])
def test_a_share_that_no_leg_can_have_is_refused_before_anything_is_sent(desk, text):
    from execution.rejection import Rejection

    message = f"BTCUSDT on Binance_F market long 0.01 {text}"
    with pytest.raises(Rejection) as refused:
        desk.send(message)
    assert refused.value.code == "BAD_SHARE"
    assert refused.value.span is not None
    assert message[: refused.value.span.column - 1].endswith("for ")
    assert not Order.objects.filter(user=desk.user).exists()


def test_a_dry_run_shows_numbers_as_they_are_sent(desk):
    shown = desk.one("XRPUSDT on Binance_F market long 1e3", dry_run=True)
    (order,) = shown["would_send"]
    assert order["params"]["quantity"] == "1000"


@pytest.mark.parametrize(
    ("text", "code", "word"),
    [
        ("limit long 0.01 off 100%", "PRICE_BELOW_ZERO", "100%"),
        ("limit long 0.01 at 60000 sl at 58000", "STOP_WRONG_SIDE", "58000"),
        ("limit short 0.01 at 40000 sl at 42000", "STOP_WRONG_SIDE", "42000"),
    ],
)
@pytest.mark.parametrize(("venue", "family"), FUTURES[:2])
def test_what_cannot_work_is_refused_before_anything_is_sent(desk, venue, family, text, code, word):
    message = f"BTCUSDT on {venue} {text}"
    error = desk.one(message)["error"]
    assert error["code"] == code
    assert word in message[error["column"] - 1 :][: error["length"]]
    assert desk.state(venue, family)["orders"] == []


@pytest.mark.parametrize(("venue", "family"), FUTURES)
def test_an_entry_that_ends_without_a_fill_is_no_success_whatever_the_exchange_calls_it(desk, venue, family):
    result = desk.one(f"BTCUSDT on {venue} limit long 0.01 @ 45000 fok")
    assert result["status"] in ("expired", "rejected")
    assert result["error"] is not None


def test_leverage_above_the_maximum_the_exchange_tells_is_refused_with_it(desk):
    message = "BTCUSDT on ByBit_F market long 0.01 lev 500x"
    error = desk.one(message)["error"]
    assert error["code"] == "LEVERAGE_TOO_HIGH"
    assert "maximum of 100x" in error["message"]
    assert message[error["column"] - 1 :].startswith("lev")
    assert desk.state("ByBit_F", "bybit")["orders"] == []
