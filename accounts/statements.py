"""SQL that is written once and run for every message: Django's compiler costs several times what the query does.

Columns come from the models, so a new field needs no change here. For everything that is not on the way of a
message to its queue, the ORM is right.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cache, lru_cache
from typing import Any, Self, TypeVar

import psycopg
from django.db import connection
from django.db.models import Field, Model

Row = TypeVar("Row", bound=Model)
Reader = Callable[[Any], Any]
#: a statement and its parameters
Query = tuple[str, Sequence[Any]]


class Columns:
    """The columns of a model in a SELECT, and rows made of them again; `without` stay unread until asked for."""

    def __init__(self, model: type[Row], alias: str, without: Iterable[str] = ()) -> None:
        left_out = set(without)
        self._model: type[Any] = model
        self._fields = [each for each in model._meta.concrete_fields if each.name not in left_out]
        self._names = [each.attname for each in self._fields]
        self.sql = ", ".join(f'{alias}."{each.column}"' for each in self._fields)
        self.count = len(self._fields)

    def row(self, values: Sequence[Any]) -> Any:
        """A model instance as the ORM would have read it."""
        read = [
            reader(value) if reader else value for reader, value in zip(self._readers(), values, strict=True)
        ]
        return self._model.from_db(connection.alias, self._names, read)

    def _readers(self) -> list[Reader | None]:
        return [_reader(each) for each in self._fields]


@cache
def _reader(field: Field[Any, Any]) -> Reader | None:
    from_db_value = getattr(field, "from_db_value", None)
    if from_db_value is None:
        return None
    return lambda value: from_db_value(value, None, connection)


def table(model: type[Model]) -> str:
    return f'"{model._meta.db_table}"'


def select(sql: str, params: Sequence[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return list(cursor.fetchall())


def select_together(*queries: Query) -> list[list[tuple[Any, ...]]]:
    """Several SELECTs in one round trip: the rows of each. What it costs to wait for an answer is several times
    what such a query costs PostgreSQL."""
    with connection.cursor() as cursor:
        cursor.execute(
            "; ".join(sql for sql, _ in queries), [each for _, params in queries for each in params]
        )
        found = [list(cursor.fetchall())]
        while cursor.nextset():
            found.append(list(cursor.fetchall()))
    return found


def insert_together(first: Model, others: Sequence[Model], provided: Sequence[Query] = ()) -> bool:
    """Insert a row and rows of another table in one statement, which is its own transaction: all or none, in one
    round trip. Sets `first.pk`; the others must not need theirs. Raises IntegrityError.

    `provided`: conditions; False, and nothing inserted, when one of them does not hold."""
    held = " AND ".join(f"({sql})" for sql, _ in provided) or "TRUE"
    parts, params = (
        [f"held AS MATERIALIZED (SELECT WHERE {held})"],
        [each for _, own in provided for each in own],
    )
    for number, row in enumerate(others):
        parts.append(f"other{number} AS ({_insertion_sql(type(row))})")
        params += _insertion_params(row)
    pk = first._meta.pk
    assert pk is not None
    sql = f'WITH {", ".join(parts)} {_insertion_sql(type(first))} RETURNING "{pk.column}"'
    with connection.cursor() as cursor:
        cursor.cursor = _Prepared(connection.connection)
        cursor.execute(sql, params + _insertion_params(first))
        found = cursor.fetchone()
    if not found:
        return False
    first.pk = found[0]
    for row in (first, *others):
        row._state.adding, row._state.db = False, connection.alias
    return True


class _Prepared(psycopg.RawCursor[Any]):
    """PostgreSQL reads and plans a statement once for each connection: that takes it longer than to carry it out."""

    def execute(self, query: Any, params: Any = None, **_: Any) -> Self:
        return super().execute(_numbered(query), params, prepare=True)


@lru_cache(maxsize=200)
def _numbered(sql: str) -> str:
    """With PostgreSQL's own places, $1 for the first %s: psycopg reads a statement as long as ours anew each time."""
    first, *rest = sql.split("%s")
    return first + "".join(f"${number}{part}" for number, part in enumerate(rest, 1))


def _insertion_params(row: Model) -> list[Any]:
    return [
        field.get_db_prep_save(field.pre_save(row, add=True), connection) for field in _inserted(type(row))
    ]


@cache
def _inserted(model: type[Model]) -> list[Any]:
    return [each for each in model._meta.concrete_fields if not each.primary_key]


@cache
def _insertion_sql(model: type[Model]) -> str:
    fields = _inserted(model)
    columns = ", ".join(f'"{each.column}"' for each in fields)
    places = ", ".join(["%s"] * len(fields))
    return f"INSERT INTO {table(model)} ({columns}) SELECT {places} FROM held"
