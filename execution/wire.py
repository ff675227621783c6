"""Commands as JSON, for the message that travels to a region's worker, and back."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from cattrs.preconf.json import make_converter
from cattrs.strategies import configure_tagged_union

from execution.amounts import Span
from execution.commands import Step

converter = make_converter(omit_if_default=True)
converter.register_unstructure_hook(Decimal, str)
converter.register_structure_hook(Decimal, lambda value, _: Decimal(value))
converter.register_unstructure_hook(timedelta, lambda value: value // timedelta(milliseconds=1))
converter.register_structure_hook(timedelta, lambda value, _: timedelta(milliseconds=value))
converter.register_unstructure_hook(Span, lambda span: [span.line, span.column, span.length])
converter.register_structure_hook(Span, lambda value, _: Span(*value))
configure_tagged_union(Step, converter, tag_name="step", tag_generator=lambda kind: kind.__name__.lower())


def dump(value: Any, kind: Any = None) -> Any:
    """JSON-ready form of a dataclass; `kind` where its static type is a union."""
    return converter.unstructure(value, kind)


def load(data: Any, kind: Any) -> Any:
    return converter.structure(data, kind)
