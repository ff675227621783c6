"""Messages of other services, written in Smart Syntax where their shape is known.

What cannot be known is not invented: a missing size is written SIZE, an option that has no counterpart
means no translation. The exchange is Binance_F where the message does not name one.
"""

from webhooks.syntax.translate.bodies import from_json
from webhooks.syntax.translate.texts import from_text

__all__ = ["from_json", "from_text"]
