"""Why a message is not a fact: the error kinds, and the exception that carries one."""

import enum

import msgspec


class ErrorKind(enum.StrEnum):
    """Every reason for a dead letter (DESIGN 2, ``error_kind``)."""

    NOT_JSON = "not_json"
    TOO_LARGE = "too_large"
    SCHEMA_VIOLATION = "schema_violation"
    RULE_VIOLATION = "rule_violation"
    STORE_ERROR = "store_error"
    REJECTED_BY_WAREHOUSE = "rejected_by_warehouse"
    INTERNAL_ERROR = "internal_error"


class ContractError(ValueError):
    """A message breaks the contract.

    Attributes:
        kind: the error kind it becomes a dead letter under.
        field: the payload field at fault, or None where there is no single one.

    The text says to the app's developer what to fix. It contains no value of the payload, so it
    may be logged.
    """

    def __init__(self, kind: ErrorKind, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.kind = kind
        self.field = field

    def __reduce__(self) -> tuple[type["ContractError"], tuple[ErrorKind, str, str | None]]:
        return type(self), (self.kind, str(self), self.field)


class Rejection(msgspec.Struct, frozen=True):
    """Why one message cannot be a fact, in the form that travels between steps.

    Attributes are those of ContractError; ``message`` is its text.
    """

    kind: ErrorKind
    message: str
    field: str | None = None

    @classmethod
    def of(cls, error: ContractError) -> "Rejection":
        """What an error says."""
        return cls(error.kind, str(error), error.field)
