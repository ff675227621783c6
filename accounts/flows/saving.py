"""Saving a row whose uniqueness the database decides, with the answer beside the field."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction


def save_named(row: models.Model, field: str, taken: str) -> None:
    """Check and save. Raises ValidationError; a name lost to somebody quicker reads like one taken before."""
    try:
        row.full_clean(validate_constraints=False)
        with transaction.atomic():
            row.save()
    except IntegrityError:
        raise ValidationError({field: taken}) from None
