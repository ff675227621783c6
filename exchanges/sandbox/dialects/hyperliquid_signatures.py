"""Whose signature a Hyperliquid action carries: EIP-712 over keccak and secp256k1. What signers may do is not decided here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgpack  # type: ignore[import-untyped]
from coincurve import PrivateKey, PublicKey
from Crypto.Hash import keccak


def digest(data: bytes) -> bytes:
    return keccak.new(data=data, digest_bits=256).digest()


def typed(kind: str, *values: bytes) -> bytes:
    """EIP-712's hash of a struct: its type, then its members in 32 bytes each."""
    return digest(digest(kind.encode()) + b"".join(value.rjust(32, b"\x00") for value in values))


def signer(params: Mapping[str, Any], source: str) -> str:
    """The address whose signature the action carries, "" for none that can be read."""
    try:
        signed, expires = params["signature"], params.get("expiresAfter")
        packed = msgpack.packb(params["action"]) + int(params["nonce"]).to_bytes(8, "big") + b"\x00"
        if expires is not None:
            packed += b"\x00" + int(expires).to_bytes(8, "big")
        domain = typed(
            "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)",
            *(digest(b"Exchange"), digest(b"1"), (1337).to_bytes(2, "big"), b""),
        )
        agent = typed("Agent(string source,bytes32 connectionId)", digest(source.encode()), digest(packed))
        r, s = (int(signed[part], 16).to_bytes(32, "big") for part in ("r", "s"))
        whole = r + s + bytes([signed["v"] - 27])
        key = PublicKey.from_signature_and_message(whole, digest(b"\x19\x01" + domain + agent), hasher=None)
    except Exception:  # noqa: BLE001 - whatever is wrong with it, nobody has signed
        return ""
    return wallet(key)


def wallet(key: PublicKey) -> str:
    return "0x" + digest(key.format(compressed=False)[1:])[-20:].hex()


def address_of(secret: str) -> str:
    return wallet(PrivateKey(bytes.fromhex(secret.removeprefix("0x"))).public_key)
