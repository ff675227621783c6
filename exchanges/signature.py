"""The signatures that most exchanges ask for: an HMAC under the secret, as hexadecimal digits or in Base64."""

from __future__ import annotations

import base64
import hashlib
import hmac

from exchanges.errors import AuthRefused


def hex_hmac(secret: str, signed: str, digest: str = "sha256") -> str:
    return hmac.new(secret.encode(), signed.encode(), digest).hexdigest()


def base64_hmac(secret: str, signed: str) -> str:
    return base64.b64encode(hmac.new(secret.encode(), signed.encode(), hashlib.sha256).digest()).decode()


def base64_secret(exchange: str, secret: str) -> bytes:
    """The bytes of a secret that the exchange issues in Base64."""
    try:
        return base64.b64decode(secret, validate=True)
    except ValueError:
        raise AuthRefused(f"the secret of this key is not one that {exchange} issues (base 64)") from None
