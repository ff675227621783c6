"""The language of the webhook body: text in, `execution.message` out."""

from webhooks.syntax.errors import BadCommand, located
from webhooks.syntax.parser import parse, parse_bytes

__all__ = ["BadCommand", "located", "parse", "parse_bytes"]
