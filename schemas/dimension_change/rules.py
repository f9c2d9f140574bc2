"""Rules of dimension changes beyond types: each raises ContractError if it is broken."""

from typing import Any

from schemas.errors import ContractError, ErrorKind


def upserts_have_a_row(event: Any) -> None:
    """An upsert carries the row after the change."""
    if event.op == "upsert" and event.row is None:
        raise ContractError(ErrorKind.RULE_VIOLATION, "row is required for upsert", "row")
