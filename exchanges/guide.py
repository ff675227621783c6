"""What a user has to know of an exchange before trading there; each venue brings its own, the docs page shows it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Guide:
    """Plain sentences, without mark-up. `key_steps` are instructions in their order."""

    #: how to make a key: where on the exchange's site, which permissions to tick, which to leave out, the IP lock
    key_steps: tuple[str, ...]
    #: how to trade without money: the test net or demo and where its keys come from; "" where there is none
    testnet: str = ""
    #: what differs from what a trader expects, one sentence each
    quirks: tuple[str, ...] = ()
