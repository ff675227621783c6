"""What an exchange says, as values that the columns of history take: whatever it says, the end of an order is kept."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.db.models import CharField, DecimalField, Model

log = logging.getLogger(__name__)
#: an amount from here on is refused before anything is sent: it would be no order, and no column holds much more
MOST = Decimal("1e18")


def fitting(model: type[Model], values: Mapping[str, Any]) -> dict[str, Any]:
    """The values that fit, their texts as PostgreSQL takes them. What does not fit is left out and logged: half of a
    number or of an id would be another one."""
    fit, fields = {}, model._meta  # noqa: SLF001 - Django's documented way to the fields
    for name, value in values.items():
        kept = storable(value)
        if _fits(fields.get_field(name), kept):
            fit[name] = kept
        else:
            log.error("%s of %s cannot hold %.60r: left out", name, model.__name__, value)
    return fit


def storable(value: Any) -> Any:
    """Without the letters that PostgreSQL has in no text: NUL, and halves of pairs."""
    match value:
        case str():
            return value.replace("\0", "\N{REPLACEMENT CHARACTER}").encode(errors="replace").decode()
        case dict():
            return {storable(name): storable(each) for name, each in value.items()}
        case list() | tuple():
            return [storable(each) for each in value]
    return value


def _fits(field: Any, value: Any) -> bool:
    match field:
        case DecimalField() if value is not None:
            return bool(abs(value) < Decimal(10) ** (field.max_digits - field.decimal_places) - 1)
        case CharField() if value is not None:
            return field.max_length is None or len(value) <= field.max_length
    return True
