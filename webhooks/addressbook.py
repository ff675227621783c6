"""What programs may call, for the page `/docs/api/`: the webhook's contract in short, and the REST API."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Call:
    """`ID` stands for an id that an answer told."""

    method: str
    path: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Group:
    anchor: str
    title: str
    calls: tuple[Call, ...]
    text: str = ""


def _group(anchor: str, title: str, text: str, *calls: tuple[str, str, str]) -> Group:
    return Group(anchor, title, tuple(Call(*each) for each in calls), text)


OPTIONS = (
    (
        "?wait=15",
        "Wait so many seconds for the outcome, 0 to 30, instead of 2.5. Prefer: wait=15 says the same.",
    ),
    ("?dry=1", "Show what would be sent, and send nothing. The words dry run in the message say the same."),
    (
        "Idempotency-Key: K",
        "Never carry out the same thing twice. The words id K in the message say the same.",
    ),
)

ANSWERS = (
    ("200", "Carried out, at least in part: status is done or partial. Also for a duplicate, with the first result, and for a dry run."),
    ("202", "Still working, or being clarified with the exchange: result_url is where the outcome will be."),
    ("400", "The message is not understood: the error points at the word. Nothing was sent."),
    ("403", "Not allowed: the address, or something is paused. Nothing was sent."),
    ("404", "No such hook. Nothing was sent."),
    ("409", "Out of time (sent and valid), or an id that another hook has used. Nothing was sent."),
    ("413, 429", "Too large; too many, with Retry-After. Nothing was sent."),
    ("422", "Understood, but nothing was carried out: each result has the reason."),
    ("500, 503", "Not taken in, and certainly not sent. After 503 send it again; TradingView does."),
)  # fmt: skip

#: what the first message of the README is answered
ANSWER: dict[str, Any] = {
    "ok": True,
    "delivery": "d_06f1…",
    "status": "done",
    "duplicate": False,
    "results": [
        {
            "command": "BTCUSDT on Binance_F market long 0.01 sl off 2% tp off 5%",
            "action": "entry",
            "venue": "Binance_F",
            "symbol": "BTCUSDT",
            "instrument": "BTCUSDT",
            "account": "main",
            "region": "tokyo",
            "side": "long",
            "status": "filled",
            "client_id": "x-…",
            "exchange_id": "8389765",
            "quantity": "0.01",
            "filled": "0.01",
            "average_price": "50000.1",
            "fee": {"amount": "0.2", "asset": "USDT"},
            "protection": {
                "status": "armed",
                "bracket": "b_…",
                "stop": {
                    "price": "49000.1",
                    "quantity": "0.01",
                    "exchange_id": "8389766",
                    "client_id": "x-…",
                    "status": "open",
                },
                "targets": [
                    {
                        "price": "52500.1",
                        "quantity": "0.01",
                        "exchange_id": "8389767",
                        "client_id": "x-…",
                        "status": "open",
                    }
                ],
            },
            "error": None,
        }
    ],
    "timing_ms": {"parsed": 0.3, "queued": 4.9, "claimed": 6.1, "sent": 7.0, "replied": 17.7},
}

GROUPS = (
    _group(
        "accounts",
        "Accounts",
        "A key goes in and never comes out.",
        ("GET", "/api/accounts/", "All of yours: state, and what the check of the key found."),
        (
            "POST",
            "/api/accounts/",
            "Adds a key: exchange, label, environment (live, testnet or sandbox), key, secret and, where there is one, passphrase. accept_withdrawal takes it even if it may withdraw.",
        ),
        ("GET", "/api/accounts/ID/", "One of them."),
        ("DELETE", "/api/accounts/ID/", "Forgets the key. 400 while a position is protected through it."),
        ("GET", "/api/accounts/ID/history/", "What happened to the key, the latest first."),
        ("POST", "/api/accounts/ID/check/", "Asks the exchange again what the key may do."),
        ("POST", "/api/accounts/ID/insist/", "Takes a key that may withdraw."),
        ("POST", "/api/accounts/ID/pause/", "Trades nothing new with it."),
        ("POST", "/api/accounts/ID/resume/", "Trades with it again, after a check."),
        ("POST", "/api/accounts/ID/default/", "Makes it the one for messages that name no account."),
    ),
    _group(
        "hooks",
        "Hooks",
        "",
        ("GET", "/api/hooks/", "All of yours, without their URLs."),
        (
            "POST",
            "/api/hooks/",
            "Makes one: name, and stop_policy (close or keep: what becomes of a position whose stop cannot be placed). The answer has its URL, this once. Takes a token.",
        ),
        ("GET", "/api/hooks/ID/", "One of them."),
        ("DELETE", "/api/hooks/ID/", "Its URL stops working at once."),
        ("POST", "/api/hooks/ID/enable/", "Switches it on."),
        ("POST", "/api/hooks/ID/disable/", "Switches it off."),
        (
            "POST",
            "/api/hooks/ID/rotate/",
            "Gives it a new URL, told this once; the old one works for 24 hours more. Takes a token.",
        ),
    ),
    _group(
        "history",
        "Deliveries and orders",
        "The newest first. Where there is more, next is the before of the following page.",
        ("GET", "/api/deliveries/", "Every message that a hook received. ?hook= ?status= ?before="),
        ("GET", "/api/deliveries/ID/", "One of them, with its results as the webhook answers them."),
        ("GET", "/api/orders/", "What messages asked for, one by one. ?status= ?venue= ?symbol= ?before="),
        ("GET", "/api/orders/ID/", "One of them."),
        ("GET", "/api/differences/", "Where an exchange did not hold what flipr expected. ?account="),
    ),
)  # fmt: skip
