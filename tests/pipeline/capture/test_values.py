"""Values that a contract rejects, or that need a time zone: captured as they are pulled."""

import json

import pytest

from pipeline.sources.postgres.mapping import default_mapping
from schemas.errors import ContractError, ErrorKind
from schemas.families import DEFAULT_FAMILY
from tests.pipeline.capture.capturing import Captured
from tests.pipeline.sources.postgres.pulling import Puller
from transforms.decoding.decode import Decoder


def test_a_time_without_a_zone_is_captured_in_the_source_zone(school, topic, slot):
    school.execute(
        'ALTER TABLE answers ALTER "timestamp" TYPE timestamp; '
        "ALTER TABLE sessions ALTER expiry_time TYPE timestamp"
    )
    berlin = default_mapping("Europe/Berlin")
    captured = Captured(topic, slot, mapping=berlin)
    captured.read()
    school.answer(1, at="2026-07-01 12:00:00")
    school.execute("UPDATE sessions SET expiry_time = '2026-07-01 12:30:00'")
    answer, change, _ = sorted(captured.events(3), key=lambda event: event["event_type"])
    assert answer["client_ts"] == "2026-07-01T10:00:00Z"
    assert answer["session_expiry_ts"] == change["expiry_ts"] == "2026-07-01T10:30:00Z"
    puller = Puller(mapping=berlin)
    [pulled] = puller.payloads("answers")
    assert answer == pulled | {"family": "exam_event"}
    for engine in (captured.engine, puller.engine):
        engine.dispose()


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"option": "x" * 9_000}, "answer"),
        ({"at": "infinity"}, "client_ts"),
        ({"at": "20000-01-01 00:00:00+00"}, "client_ts"),
    ],
)
def test_a_value_that_no_event_can_have_is_a_dead_letter_later(school, captured, given, field):
    school.answer(1, **given)
    [event] = captured.events(1)
    del event["family"]
    with pytest.raises(ContractError) as caught:
        Decoder(DEFAULT_FAMILY).decode(json.dumps(event).encode())
    assert (caught.value.kind, caught.value.field) == (ErrorKind.SCHEMA_VIOLATION, field)
