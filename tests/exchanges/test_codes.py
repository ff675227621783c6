"""What single codes of single exchanges stand for, where the wrong class would cost a stop or pause nobody."""

from __future__ import annotations

import pytest

from exchanges import errors
from exchanges.errors import ExchangeError
from exchanges.registry import venues

PAUSED = {
    "kraken_f": "marketUnavailable marketSuspended marketInactive marketIsPostOnly",
    "kraken_c": "marketUnavailable marketSuspended marketInactive marketIsPostOnly",
    "deribit_f": "10012",
}
#: refused for the account, whatever is ordered
SHUT_OUT = {"kucoin": "400500 126046", "kucoin_f": "400500 126046", "mexc_f": "403", "okx_f": "51155"}
WRONG = {
    "okx_f": "59000 59001",
    "bybit_f": "110024 110028",
    "bitunix_f": "20009",
    "binance_f": "-4067 -4068 -4400",
    "gate_f": "ORDER_PENDING",
    "kucoin": "415000",
}
MEANINGS = [
    *((name, code, errors.MarketPaused) for name, codes in PAUSED.items() for code in codes.split()),
    *((name, code, errors.Maintenance) for name in ("bitget", "bitget_f") for code in ("41114", "43115")),
    *((name, code, errors.AuthRefused) for name, codes in SHUT_OUT.items() for code in codes.split()),
    *((name, code, errors.InvalidOrder) for name, codes in WRONG.items() for code in codes.split()),
    ("blofin_f", "152407", errors.ClockRefused),
]


@pytest.mark.parametrize(("name", "code", "meaning"), MEANINGS)
def test_a_code_is_told_as_what_the_exchange_means(
    name: str, code: str, meaning: type[ExchangeError]
) -> None:
    assert venues()[name].errors[code] is meaning
