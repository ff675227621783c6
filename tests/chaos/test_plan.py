"""A seed is a plan: a storm that found something can be had again."""

from tests.chaos.plan import FAULTS, OUTAGES, Break, Mend, SetFault, make_plan
from webhooks.syntax import parse

VENUES = ["Binance", "Binance_F", "Kraken_F"]


def plan(seed, commands=400):
    return make_plan(seed, commands, 3, VENUES, rounds=2)


def test_the_same_seed_is_the_same_plan():
    assert plan(5) == plan(5)
    assert plan(5) != plan(6)


def test_every_message_can_be_read():
    for post in plan(5).posts:
        parse(post.text)


def test_repeats_carry_an_id_and_the_same_text():
    posts = plan(5).posts
    texts = {post.number: post.text for post in posts}
    repeated = [post for post in posts if [each.number for each in posts].count(post.number) > 1]
    assert repeated
    assert all(post.identified and post.text == texts[post.number] for post in repeated)


def test_everything_that_breaks_is_mended():
    events = plan(5).events
    broken = [each.name for each in events if isinstance(each, Break)]
    mended = [each.name for each in events if isinstance(each, Mend)]
    assert len(broken) == 2 * len(OUTAGES)
    assert sorted(broken) == sorted(mended)


def test_a_long_storm_has_every_fault():
    faults = {each.fault["fault"] for each in plan(5, 2000).events if isinstance(each, SetFault)}
    assert faults == set(FAULTS)


def test_nobody_holds_on_spot_the_coins_that_margin_his_contracts():
    """The checker counts what is held on spot."""
    lanes = make_plan(5, 2000, 3, [*VENUES, "ByBit", "ByBit_C", "ByBit_F"], rounds=2).lanes
    traders = {
        venue: {lane.trader for lane in lanes if lane.venue == venue} for venue in ("ByBit", "ByBit_C")
    }
    assert traders == {"ByBit": {1, 2}, "ByBit_C": {0}}
    assert len({(lane.trader, lane.venue, lane.symbol) for lane in lanes}) == len(lanes)
