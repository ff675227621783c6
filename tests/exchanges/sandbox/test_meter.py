from exchanges.sandbox.meter import Limit, Meter

WINDOW = Limit("w", "weight", 3, window_seconds=60, ban_after=2, ban_seconds=120)
DECAY = Limit("d", "calls", 3, decay_per_second="0.33")


def over(meter, limit, now_ms, cost=1, owner="me"):
    return meter.charge(limit, owner, cost, now_ms)


def test_a_window_admits_its_capacity_and_says_how_long_to_wait():
    meter = Meter()
    assert [over(meter, WINDOW, 5_000) for _ in range(3)] == [None] * 3
    refused = over(meter, WINDOW, 5_000)
    assert (refused.retry_after_seconds, refused.banned) == (55, False)
    assert over(meter, WINDOW, 60_000) is None


def test_a_refused_call_costs_nothing():
    meter = Meter()
    assert over(meter, WINDOW, 0, cost=4) is not None
    assert meter.used(WINDOW, "me", 0) == 0


def test_going_on_after_refusals_is_a_ban():
    meter = Meter()
    refusals = [over(meter, WINDOW, 0, cost=4) for _ in range(3)]
    assert [each.banned for each in refusals] == [False, False, True]
    later = over(meter, WINDOW, 119_001)
    assert (later.banned, later.retry_after_seconds) == (True, 1)
    assert over(meter, WINDOW, 120_000) is None


def test_owners_are_counted_apart():
    meter = Meter()
    assert over(meter, WINDOW, 0, cost=3) is None
    assert over(meter, WINDOW, 0, cost=3, owner="other") is None


def test_a_decaying_counter_runs_off_in_whole_units():
    meter = Meter()
    assert over(meter, DECAY, 0, cost=3) is None
    assert over(meter, DECAY, 3_000).retry_after_seconds == 4
    assert over(meter, DECAY, 3_031) is None
    assert meter.used(DECAY, "me", 3_031) == 3
    assert meter.used(DECAY, "me", 100_000) == 0


def test_time_before_the_first_call_is_not_saved_up():
    meter = Meter()
    assert over(meter, DECAY, 1_000_000, cost=3) is None
    assert over(meter, DECAY, 1_000_000) is not None


def test_limits_can_be_switched_off():
    meter = Meter(enforce=False)
    assert over(meter, WINDOW, 0, cost=100) is None
