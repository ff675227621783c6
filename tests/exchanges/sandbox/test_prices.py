from decimal import Decimal

from exchanges.sandbox.prices import Prices


def test_a_price_in_one_dollar_is_the_price_in_all():
    prices = Prices()
    moved = prices.set("BTC", "USDC", Decimal(60000))
    assert {prices.of("BTC", dollar) for dollar in ("USDT", "USDC", "USD")} == {60000}
    assert moved[0] == ("BTC", "USDC")
    assert {("BTC", "USDT"), ("BTC", "USD"), ("ETH", "BTC")} <= set(moved)


def test_a_dollar_price_set_by_itself_follows_no_other():
    prices = Prices()
    prices.set("BTC", "USD", Decimal(59000))
    moved = prices.set("BTC", "USDT", Decimal(60000))
    assert prices.of("BTC", "USD") == 59000
    assert ("BTC", "USD") not in moved


def test_a_pair_of_coins_follows_both_until_it_is_set():
    prices = Prices()
    assert prices.of("ETH", "BTC") == Decimal("0.06")
    prices.set("ETH", "BTC", Decimal("0.07"))
    assert ("ETH", "BTC") not in prices.set("BTC", "USDT", Decimal(60000))
    assert prices.of("ETH", "BTC") == Decimal("0.07")


def test_reset_goes_back_to_the_start():
    prices = Prices()
    prices.set("BTC", "USDT", Decimal(1))
    prices.reset()
    assert prices.of("BTC", "USDT") == 50000
