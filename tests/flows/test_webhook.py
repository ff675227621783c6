"""The contract of the webhook with everything running: repeats, waiting, strangers, secrets."""

import subprocess
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal as D

import psycopg
import pytest
import redis
from psycopg import sql

from accounts import flows
from accounts.models import Account
from exchanges.types import Credentials, Environment
from tests.stack import wait_for

TRADE = "BTCUSDT on Binance_F market long 0.01"


@pytest.fixture(autouse=True)
def at_fifty_thousand(stack):
    stack.price("BTC/USDT", "50000")


@pytest.fixture
def trader(stack):
    return stack.new_trader(("binance",))


def held(stack, trader):
    return sum(D(each["quantity"]) for each in stack.state(trader, "Binance_F")["positions"])


def test_the_same_id_runs_once_however_often_it_comes(stack, trader):
    with ThreadPoolExecutor(6) as threads:
        answers = list(threads.map(lambda _: stack.post(trader, f"id alert-1 {TRADE}", wait=15), range(6)))
    assert {answer.status_code for answer in answers} <= {200, 202}
    assert sum(not answer.json()["duplicate"] for answer in answers) == 1
    assert held(stack, trader) == D("0.01")


def test_equal_messages_without_an_id_are_both_meant(stack, trader):
    for _ in range(2):
        assert stack.post(trader, TRADE, wait=15).status_code == 200
    assert held(stack, trader) == D("0.02")


def test_202_after_the_wait_and_the_result_afterwards(stack, trader):
    stack.fault(venue="Binance_F", fault="delay", delay_ms=1500, rate=1, count=1)
    answer = stack.post(trader, TRADE, wait="0.2")
    body = answer.json()
    assert (answer.status_code, body["status"], body["ok"]) == (202, "working", True)
    after = wait_for(
        "it is done", lambda: (now := stack.http.get(body["result_url"]).json())["status"] == "done" and now
    )
    assert after["results"][0]["status"] == "filled"
    assert held(stack, trader) == D("0.01")


def test_a_message_resent_after_a_503_runs_once(stack, trader):
    """The queue is down for the first try: TradingView comes back, and then it runs."""
    server = _redis_pid(stack)
    subprocess.run(["kill", "-STOP", server], check=True)  # does not answer, as if cut off
    try:
        first = stack.post(trader, TRADE)
    finally:
        subprocess.run(["kill", "-CONT", server], check=True)
    assert first.status_code == 503
    assert first.json()["ok"] is False
    again = wait_for(
        "the queue is back",
        lambda: (answer := stack.post(trader, TRADE, wait=15)).status_code == 200 and answer,
    )
    assert again.json()["status"] == "done"
    assert held(stack, trader) == D("0.01")


def _redis_pid(stack):
    with redis.Redis.from_url(stack.redis_url) as client:
        return str(client.info("server")["process_id"])


def test_a_wrong_token_and_an_unknown_user_are_the_same_404(stack, trader):
    wrong = stack.http.post(trader.url[:-4] + "abcd", content=TRADE)
    nobody = stack.http.post(trader.url.replace(trader.user.public_id, "nobody000000"), content=TRADE)
    assert (wrong.status_code, nobody.status_code) == (404, 404)
    assert wrong.content == nobody.content
    assert held(stack, trader) == 0


def test_a_stranger_cannot_see_a_delivery(stack, trader):
    delivery = stack.post(trader, TRADE, wait=15).json()["delivery"]
    stranger = stack.new_trader(("binance",))
    assert stack.http.get(f"{trader.url}/{delivery}").status_code == 200
    assert stack.http.get(f"{stranger.url}/{delivery}").status_code == 404


def test_planted_secrets_are_found_nowhere(stack, trader):
    """Not in the database, Redis, logs or answers: the API key and its secret, and the hook's token."""
    opened = stack.control("accounts", {"exchange": "bybit", "secret": "PLANTEDsecret0123456789abcdefghijkl"})
    planted = ["PLANTEDsecret0123456789abcdefghijkl"]
    keys = Credentials(opened["key"], opened["secret"])
    flows.add_account(trader.user, "bybit", "planted", Environment.SANDBOX, keys)
    answer = stack.post(trader, "BTCUSDT on ByBit_F market long 0.01 sl off 2%", wait=15)
    assert answer.status_code == 200
    stack.fault(venue="ByBit_F", fault="not_json", rate=1, count=2)
    stack.post(trader, "BTCUSDT on ByBit_F market long 0.01", wait=15)
    wait_for("the key was checked", lambda: Account.objects.get(label="planted", user=trader.user).checked_at)
    token = trader.url.rsplit("/", 1)[1]
    haystacks = {"database": _dump(stack), "redis": _redis_dump(stack), "answer": answer.text}
    haystacks |= {f"log of {name}": stack.log(name) for name in stack.processes.names()}
    for where, text in haystacks.items():
        for secret in [*planted, token]:
            assert secret not in text, f"a secret was found in the {where}"
        assert text or where == "log of beat", f"the {where} is empty: nothing was searched"


def _dump(stack):
    texts = []
    with psycopg.connect(stack.environment["DATABASE_URL"]) as connection:
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        for (table,) in tables:
            query = sql.SQL("SELECT t::text FROM {} t").format(sql.Identifier(table))
            texts += [row[0] for row in connection.execute(query).fetchall()]
    return "\n".join(texts)


def _redis_dump(stack):
    found = []
    with redis.Redis.from_url(stack.redis_url) as client:
        for key in client.scan_iter(count=1000):
            found.append(repr(key))
            found.append(repr(client.dump(key)))
    return "\n".join(found)
