"""Messages ready to paste, for the exchange a user really has."""

from __future__ import annotations

import re
from dataclasses import dataclass

from accounts.families import families
from accounts.models import Account

DEFAULT_VENUE = "Binance_F"


@dataclass(frozen=True, slots=True)
class Sample:
    venue: str
    trade: str
    close: str
    strategy: str


def sample_for(account: Account | None, hook: str = "") -> Sample:
    """`hook`: the name of the hook that the messages go to, for ids that no other hook's strategy writes."""
    venue = _venue(account)
    using = f" using {account.label}" if account and not account.is_default else ""
    head = f"on {venue}{using}"
    spot = "_" not in venue or venue.endswith("_ST")
    return Sample(
        venue=venue,
        trade=f"BTCUSDT {head} market {'buy' if spot else 'long'} 0.01 sl off 2% tp off 5%",
        close=f"BTCUSDT {head} close 100%",
        strategy=(
            f"{{{{ticker}}}} {head} go {{{{strategy.market_position}}}} {{{{strategy.market_position_size}}}} sl off 2%\n"
            f'id "{_in_id(hook)}{{{{ticker}}}}-{{{{strategy.order.id}}}}-{{{{timenow}}}}" sent {{{{timenow}}}} valid 30s'
        ),
    )


def _in_id(hook: str) -> str:
    """What would end the quoted id, or read like a placeholder, stays outside."""
    name = re.sub(r'["“”{}]', "", hook).strip()
    return f"{name}-" if name else ""


def curl_for(message: str, url: str) -> str:
    """A command for the shell; a name in a message has no quote in it, and the URL can take a `?dry=1`."""
    return f"curl -d '{message}' '{url}'"


def _venue(account: Account | None) -> str:
    if account is None or account.exchange not in families():
        return DEFAULT_VENUE
    return families()[account.exchange].venue_names(account.environment)[0]
