"""Messages of every family that names persons, and a search for their ids in all that is stored."""

import json
from collections.abc import Iterator
from typing import Any

from tests.conftest import Warehouse
from tests.support.events import NOW, event

ID = "zq-person"  # in no other value
FAMILIES = "exam_event,dimension_change,orders,user_activity"
AT = NOW.isoformat()
# What keeps the message as it was sent, so that a replay works.
_KEPT = frozenset({"payload", "attributes"})


def person(number: int) -> str:
    """An id of a person."""
    return f"{ID}-{number}"


def messages(number: int) -> list[dict[str, Any]]:
    """What one person sends: facts of each family and dead letters."""
    who = person(number)
    session = {"student_id": who, "session_id": f"session-{number}"}
    order = {
        "event_type": "order",
        "order_id": f"order-{number}",
        "customer_id": who,
        "order_date": AT,
        "status": "pending",
        "items": [{"product_id": "p", "product_name": "P", "quantity": 1, "price": "1"}],
        "shipping_address": {"street": "S", "city": "C", "country": "D"},
        "total_amount": "1",
    }
    activity = {
        "event_type": "user_activity",
        "user_id": who,
        "activity_type": "login",
        "ip_address": f"{ID}.ip",
        "user_agent": f"{ID} browser",
        "timestamp": AT,
        "metadata": {"session_id": f"session-{number}", "platform": "web"},
    }
    return [
        event(f"start-{number}", event_type="session_start", **session),
        event(f"answer-{number}", **session, userId=who, seen={"by": [who]}),
        event(f"lost-{number}", event_type="store_error", **session, error_payload={"of": who}),
        event(f"wrong-{number}", **session, attempt_no=0),
        change("student", who, {"student_id": who, "teacher_id": person(99), "grade": "7"}),
        change("test", f"test-{number}", {"teacher_id": person(99)}),
        order,
        activity,
    ]


def change(dimension: str, key: str, row: dict[str, Any]) -> dict[str, Any]:
    """A dimension change without private_row, which stays as it is sent."""
    return {
        "event_type": "dimension_change",
        "dimension": dimension,
        "key": key,
        "op": "upsert",
        "version_ts": AT,
        "row": row,
    }


def stored(warehouse: Warehouse) -> Iterator[tuple[str, str, Any]]:
    """Table or view, column and value of everything in a dataset but what dead letters keep."""
    for item in warehouse.client.list_tables(str(warehouse.dataset)):
        sql = f"SELECT * FROM `{item.reference}`"
        for row in warehouse.client.query(sql).result():
            for column, value in row.items():
                if column not in _KEPT:
                    yield item.table_id, column, value


def traces(warehouse: Warehouse) -> list[tuple[str, str]]:
    """Where ids of persons are found, which is nowhere if all is well."""
    return sorted(
        {(table, column) for table, column, value in stored(warehouse) if ID in str(value)}
    )


def encoded(*payloads: dict[str, Any]) -> bytes:
    """One payload a line."""
    return b"".join(json.dumps(payload).encode() + b"\n" for payload in payloads)
