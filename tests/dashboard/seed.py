"""Rows for the page: random ones, dense with what views can get wrong, on one day and the next."""

import datetime as dt
from typing import Any

from tests.conftest import Warehouse
from tests.ddl import golden, random_tables

TODAY = dt.date(2026, 3, 4)


def tables() -> dict[str, list[dict[str, Any]]]:
    """Rows by table."""
    return random_tables.tables(7, sessions=12)


def insert(warehouse: Warehouse) -> None:
    """Puts them into the warehouse's tables."""
    for name, rows in tables().items():
        place = warehouse.dataset.table(name)
        assert not warehouse.client.insert_rows_json(place, [golden.as_text(row) for row in rows])
