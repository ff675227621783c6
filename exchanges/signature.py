"""The signatures that most exchanges ask for: an HMAC under the secret, as hexadecimal digits or in Base64."""

from __future__ import annotations

import base64
import hashlib
import hmac


def hex_hmac(secret: str, signed: str, digest: str = "sha256") -> str:
    return hmac.new(secret.encode(), signed.encode(), digest).hexdigest()


def base64_hmac(secret: str, signed: str) -> str:
    return base64.b64encode(hmac.new(secret.encode(), signed.encode(), hashlib.sha256).digest()).decode()
