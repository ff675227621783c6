"""The server on a real socket, spoken to byte by byte where a client library would hide what matters."""

import asyncio
import http.client
import json
import re
import socket
import ssl
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from urllib.parse import urlsplit

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from exchanges.sandbox.server import Connection
from exchanges.sandbox.world import World
from tests.exchanges.conftest import ROOT

from .calls import BinanceCaller

TIME = b"GET /binance/api/v3/time HTTP/1.1\r\nhost: x\r\n\r\n"


@pytest.fixture
def raw(sandbox):
    address = urlsplit(sandbox.url)
    with closing(socket.create_connection((address.hostname, address.port), timeout=5)) as connection:
        yield connection


@pytest.fixture
def caller(sandbox):
    with BinanceCaller(sandbox, sandbox.account("binance")) as made:
        yield made


def read_answers(connection, count):
    """The bodies of `count` answers."""
    data = b""
    bodies: list[bytes] = []
    while len(bodies) < count:
        head, separator, rest = data.partition(b"\r\n\r\n")
        found = re.search(rb"content-length: (\d+)", head)
        length = int(found[1]) if separator and found else 0
        if separator and len(rest) >= length:
            bodies.append(rest[:length])
            data = rest[length:]
        else:
            received = connection.recv(65536)
            assert received, "closed before the answer was whole"
            data += received
    assert data == b""
    return bodies


def test_one_connection_serves_many_requests(raw):
    for _ in range(3):
        raw.sendall(TIME)
        assert b"serverTime" in read_answers(raw, 1)[0]


def test_pipelined_requests_are_answered_in_order(raw):
    unknown = TIME.replace(b"/time", b"/nothing")
    raw.sendall(TIME + unknown + TIME)
    first, second, third = read_answers(raw, 3)
    assert b"serverTime" in first
    assert b"/api/v3/nothing" in second
    assert b"serverTime" in third


def test_a_request_in_pieces_is_one_request(raw):
    for byte in TIME:
        raw.sendall(bytes([byte]))
    assert b"serverTime" in read_answers(raw, 1)[0]


def test_a_client_that_asks_to_close_is_closed(raw):
    raw.sendall(TIME.replace(b"host: x", b"host: x\r\nconnection: close"))
    assert b"serverTime" in read_answers(raw, 1)[0]
    assert raw.recv(1) == b""


def test_noise_is_answered_400_and_closed(raw):
    raw.sendall(b"not http at all\r\n\r\n")
    assert raw.recv(65536).startswith(b"HTTP/1.1 400 ")
    assert raw.recv(1) == b""


def test_a_body_without_end_is_not_kept_in_memory(raw):
    raw.sendall(b"POST /binance/api/v3/order HTTP/1.1\r\nhost: x\r\ncontent-length: 2000000\r\n\r\n")
    raw.sendall(b"x" * 2_000_000)
    assert raw.recv(65536).startswith(b"HTTP/1.1 413 ")


def test_a_head_without_end_is_not_kept_in_memory(raw):
    raw.sendall(b"GET /binance/api/v3/time HTTP/1.1\r\n" + b"x-filler: 0123456789\r\n" * 10_000)
    assert raw.recv(65536).startswith(b"HTTP/1.1 431 ")


class Wire(asyncio.Transport):
    """What a connection writes to, and whether it still reads."""

    def __init__(self):
        super().__init__()
        self.sent, self.reading = b"", True

    def write(self, data):
        self.sent += data

    def pause_reading(self):
        self.reading = False

    def resume_reading(self):
        self.reading = True

    def is_closing(self):
        return False


def test_a_caller_that_does_not_read_is_neither_read_nor_served():
    wire, connection = Wire(), Connection(World(), controlled=False)
    connection.connection_made(wire)
    connection.pause_writing()
    connection.data_received(TIME)
    assert (wire.sent, wire.reading) == (b"", False)
    connection.resume_writing()
    assert b"serverTime" in wire.sent
    assert wire.reading is True


def test_a_port_that_is_taken_is_said_in_one_line(sandbox):
    port = str(urlsplit(sandbox.url).port)
    command = [sys.executable, "-m", "exchanges.sandbox", "--port", port]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert ended.stderr.startswith("sandbox: ")
    assert "Traceback" not in ended.stderr


def test_it_speaks_tls(certificate):
    chain, key, context = certificate
    options = ["--tls-cert", str(chain), "--tls-key", str(key)]
    command = [sys.executable, "-m", "exchanges.sandbox", "--port", "0", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT, text=True) as process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().split()[-1]
            assert url.startswith("https://")
            answer = httpx.get(f"{url}/binance/api/v3/time", verify=context)
            assert answer.json()["serverTime"] > 0
        finally:
            process.terminate()
            assert process.wait(timeout=10) == 0


@pytest.fixture
def certificate(tmp_path):
    """A self-signed certificate for 127.0.0.1, and a client context that trusts nothing else."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sandbox")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    chain_file, key_file = tmp_path / "chain.pem", tmp_path / "key.pem"
    chain_file.write_bytes(made.public_bytes(Encoding.PEM))
    key_file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return chain_file, key_file, ssl.create_default_context(cafile=str(chain_file))


def test_an_unknown_venue_is_answered_with_those_there_are(sandbox):
    answer = sandbox.http.get("/nowhere/api")
    assert answer.status_code == 404
    assert "binance_f" in answer.json()["venues"]


# -- faults --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("host", "path"),
    [("binance-f.localhost:8100", "/fapi/v1/time"), ("OKX.localhost", "/api/v5/public/time")],
)
def test_a_venue_may_be_named_by_the_host_alone(sandbox, host, path):
    """For clients that keep nothing of their address but the host."""
    assert httpx.get(f"{sandbox.url}{path}", headers={"host": host}).status_code == 200
    assert httpx.get(f"{sandbox.url}{path}").status_code == 404


def test_drop_before_closes_without_processing(sandbox, caller):
    sandbox.fault("drop_before", venue="Binance_F", count=1)
    with pytest.raises(httpx.RemoteProtocolError):
        caller.place()
    assert caller.state()["orders"] == []
    assert caller.place().status_code == 200


def test_drop_after_processes_and_closes_without_an_answer(sandbox, caller):
    sandbox.fault("drop_after", venue="Binance_F", count=1)
    with pytest.raises(httpx.RemoteProtocolError):
        caller.place()
    assert [each["status"] for each in caller.state()["orders"]] == ["filled"]


def test_a_dropped_connection_carries_no_byte_of_an_answer(sandbox, raw):
    sandbox.fault("drop_after", path="/time")
    raw.sendall(TIME)
    try:
        received = raw.recv(1)
    except ConnectionResetError:  # closed politely or not: what counts is that nothing came
        received = b""
    assert received == b""


@pytest.mark.parametrize(
    ("fault", "status", "processed"),
    [
        ("http_500", 500, False),
        ("http_503", 503, True),
        ("not_json", 200, True),
        ("throttle", 429, False),
        ("maintenance", 503, False),
    ],
)
def test_each_fault_answers_and_processes_as_it_says(sandbox, caller, fault, status, processed):
    sandbox.fault(fault, count=1)
    answer = caller.place()
    assert answer.status_code == status
    assert len(caller.state()["orders"]) == (1 if processed else 0)
    if fault == "throttle":
        assert answer.headers["retry-after"] == "1"
    if fault == "not_json":
        with pytest.raises(json.JSONDecodeError):
            answer.json()


def test_a_delayed_answer_comes_after_what_was_asked_later_elsewhere(sandbox, caller):
    """The delay holds its own connection only, and the order stands before the answer leaves."""
    sandbox.fault("delay", count=1, delay_ms=10_000)
    with pytest.raises(httpx.ReadTimeout):
        caller.place(timeout=httpx.Timeout(10, read=0.2))
    assert [each["status"] for each in caller.state()["orders"]] == ["filled"]


def test_answers_behind_a_delayed_one_wait_for_it(sandbox, raw):
    sandbox.fault("delay", path="/time", count=1, delay_ms=50)
    raw.sendall(TIME + TIME.replace(b"/time", b"/ping"))
    first, second = read_answers(raw, 2)
    assert b"serverTime" in first
    assert second == b"{}"


def test_partial_fill_gives_half(sandbox, caller):
    sandbox.fault("partial_fill", count=1)
    answer = caller.place(quantity="0.1").json()
    assert (answer["executedQty"], answer["status"]) == ("0.050", "EXPIRED")


def test_slow_fill_fills_later_by_itself(sandbox, caller):
    sandbox.fault("slow_fill", count=1, delay_ms=1)
    answer = caller.place().json()
    assert (answer["executedQty"], answer["status"]) == ("0.000", "NEW")
    for _ in range(1000):
        (order,) = caller.state()["orders"]
        if order["status"] == "filled":
            return
    pytest.fail("never filled")


def test_reject_stop_refuses_orders_with_a_trigger_only(sandbox, caller):
    sandbox.fault("reject_stop")
    assert caller.place().status_code == 200
    refused = caller.place_stop("49000")
    assert (refused.status_code, refused.json()["code"]) == (400, -4045)


def test_faults_keep_to_trading_calls_unless_a_path_is_named(sandbox, caller):
    sandbox.fault("http_500")
    assert caller.send("GET", "/fapi/v3/account").status_code == 200
    assert caller.place().status_code == 500
    sandbox.no_faults()
    sandbox.fault("http_500", path="GET /fapi/v3/account")
    assert caller.send("GET", "/fapi/v3/account").status_code == 500
    assert caller.place().status_code == 200


def test_a_fault_keeps_to_its_venue(sandbox, caller):
    sandbox.fault("http_500", venue="Binance")
    assert caller.place().status_code == 200


def test_a_rate_repeats_with_its_seed(sandbox, caller):
    def statuses():
        sandbox.no_faults()
        sandbox.fault("http_500", rate=0.5, seed=7)
        return [caller.place().status_code for _ in range(20)]

    first = statuses()
    assert set(first) == {200, 500}
    assert statuses() == first


# -- control -------------------------------------------------------------------------------------------------


def test_the_same_key_is_the_same_account(sandbox):
    first = sandbox.account("binance", key="k", secret="s", balances={"USDT": "5"})
    assert sandbox.account("binance", key="k", secret="other") == first
    assert sandbox.state("Binance", "k")["balances"] == {"USDT": {"total": "5", "free": "5"}}


def test_state_of_all_accounts_names_them_by_fingerprint_and_tells_no_secret(sandbox, caller):
    with BinanceCaller(sandbox, sandbox.account("binance")) as other:
        other.place()
        caller.place()
        state = sandbox.state("Binance_F")
        assert {each["key"] for each in state["orders"]} == {
            caller.keys["fingerprint"],
            other.keys["fingerprint"],
        }
        for secret in (caller.keys["secret"], caller.keys["key"], other.keys["secret"], other.keys["key"]):
            assert secret not in json.dumps(state)


def test_calls_are_logged_in_their_order_without_signatures(sandbox, caller):
    caller.place(newClientOrderId="mine")
    caller.send("GET", "/fapi/v3/account")
    calls = caller.state()["calls"]
    assert [(each["method"], each["path"]) for each in calls] == [
        ("POST", "/fapi/v1/order"),
        ("GET", "/fapi/v3/account"),
    ]
    assert calls[0]["params"]["newClientOrderId"] == "mine"
    assert "signature" not in calls[0]["params"]


def test_a_dollar_price_moves_the_other_dollars_until_they_have_their_own(sandbox):
    def prices():
        found = sandbox.http.get("/binance/api/v3/ticker/price").json()
        return {each["symbol"]: each["price"] for each in found}

    sandbox.price("BTC/USDT", 60000)
    assert prices()["BTCUSDC"] == "60000.00"
    sandbox.price("BTC/USDC", 59000)
    sandbox.price("BTC/USDT", 61000)
    assert (prices()["BTCUSDT"], prices()["BTCUSDC"]) == ("61000.00", "59000.00")


@pytest.mark.parametrize(
    ("action", "data"),
    [
        ("prices", {"BTC/USDT": "-1"}),
        ("prices", {"BTCUSDT": "1"}),
        ("faults", {"fault": "earthquake"}),
        ("accounts", {"exchange": "nowhere"}),
    ],
)
def test_nonsense_is_refused_with_words(sandbox, action, data):
    answer = sandbox.http.post(f"/_sandbox/{action}", json=data)
    assert answer.status_code == 400
    assert answer.json()["error"]


@pytest.mark.parametrize("query", [{"venue": "nowhere"}, {"venue": "Binance", "key": "unheard-of"}, {}])
def test_state_of_what_is_not_there_is_refused_without_repeating_the_key(sandbox, query):
    answer = sandbox.http.get("/_sandbox/state", params=query)
    assert answer.status_code == 400
    assert "unheard-of" not in answer.text


def test_reset_forgets_everything(sandbox, caller):
    caller.place()
    sandbox.price("BTC/USDT", 1)
    sandbox.fault("http_500")
    sandbox.reset()
    assert sandbox.state("Binance_F")["orders"] == []
    assert caller.place().json()["code"] == -2015
    assert sandbox.http.get("/binance/api/v3/ticker/price?symbol=BTCUSDT").json()["price"] == "50000.00"


def test_control_is_not_there_unless_asked_for():
    command = [sys.executable, "-m", "exchanges.sandbox", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT, text=True) as process:
        try:
            assert process.stdout is not None
            address = urlsplit(process.stdout.readline().split()[-1])
            connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=10)
            with closing(connection):
                connection.request("POST", "/_sandbox/reset", b"{}")
                assert connection.getresponse().status == 404
        finally:
            process.terminate()
            assert process.wait(timeout=10) == 0


# -- limits --------------------------------------------------------------------------------------------------


def test_headers_tell_what_is_used(caller):
    answer = caller.place()
    assert answer.headers["x-mbx-order-count-10s"] == "1"
    assert answer.headers["x-mbx-order-count-1m"] == "1"
    assert int(caller.send("GET", "/fapi/v3/account").headers["x-mbx-used-weight-1m"]) >= 5
