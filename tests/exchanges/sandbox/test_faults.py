import pytest

from exchanges.sandbox.faults import Fault, Faults, Kind

PLACE = "POST /fapi/v1/order"


def faults(*wanted):
    made = Faults()
    for each in wanted:
        made.add(Fault.read(each))
    return made


def hits(made, count=200):
    return [set(made.draw("binance_f", PLACE, trading=True)) for _ in range(count)]


def test_two_faults_of_the_same_rate_hit_different_calls():
    drawn = hits(faults({"fault": "http_500", "rate": 0.1}, {"fault": "delay", "rate": 0.1}))
    alone = [each for each in drawn if len(each) == 1]
    assert {Kind.HTTP_500} in alone
    assert {Kind.DELAY} in alone


def test_the_seed_decides_which_calls_are_hit():
    def drawn(seed):
        return hits(faults({"fault": "http_500", "rate": 0.5, "seed": seed}))

    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(2)


def test_a_rate_is_about_as_often_as_it_says():
    assert 60 <= sum(map(len, hits(faults({"fault": "delay", "rate": 0.1}), 1000))) <= 140


def test_a_count_ends_a_fault():
    assert sum(map(len, hits(faults({"fault": "delay", "count": 3})))) == 3


@pytest.mark.parametrize(
    ("fault", "place", "trading", "hit"),
    [
        ({}, PLACE, True, True),
        ({}, "GET /fapi/v3/account", False, False),
        ({"path": "/account"}, "GET /fapi/v3/account", False, True),
        ({"path": "/account"}, PLACE, True, False),
        ({"path": "POST"}, PLACE, True, True),
        ({"venue": "Binance_F"}, PLACE, True, True),
        ({"venue": "Binance"}, PLACE, True, False),
    ],
)
def test_venue_and_path_say_whom_a_fault_hits(fault, place, trading, hit):
    drawn = faults({"fault": "delay", **fault}).draw("binance_f", place, trading)
    assert bool(drawn) is hit


@pytest.mark.parametrize(
    "nonsense", [{}, {"fault": "nope"}, {"fault": "delay", "rate": "often"}, {"fault": "delay", "count": "x"}]
)
def test_nonsense_is_not_a_fault(nonsense):
    with pytest.raises(ValueError, match=r"fault|nope|int"):
        Fault.read(nonsense)
