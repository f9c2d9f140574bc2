"""Which unknown fields are close to the contract's names."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.exam_event.family import FAMILY as EXAM_EVENT
from transforms.decoding.unknown_fields import (
    LONGEST_NAME,
    MOST_FIELDS,
    ContractNames,
    edit_distance,
)

CONTRACT = EXAM_EVENT.event.__struct_fields__
NAMES = ContractNames(EXAM_EVENT)
SHORT_TEXTS = st.text("ab", max_size=6)
SEPARATORS = st.sampled_from(["", "_", "-", ".", " ", "__"])


@pytest.mark.parametrize(
    ("field", "nearest"),
    [
        ("is_correct", "is_correct_answer"),
        ("sesion_id", "session_id"),
        ("clientTs", "client_ts"),
        ("client_ts_local", "client_ts"),
        ("session_start", "session_start_ts"),
        ("test", "test_id"),
        ("tst_ids", "test_id"),
        ("is_co", None),
        ("answe" + "x" * 3, None),
        ("app_version", None),
        ("ts", None),
        ("__", None),
        ("", None),
        ("\u00e9v\u00e9nement", None),
        ("x" * 100_000, None),
    ],
)
def test_examples(field: str, nearest: str | None) -> None:
    assert NAMES.nearest(field) == nearest


@given(st.sampled_from(CONTRACT), st.data())
def test_another_style_is_close(name: str, data: st.DataObject) -> None:
    styled = data.draw(SEPARATORS).join(
        part.title() if data.draw(st.booleans()) else part for part in name.split("_")
    )
    assert NAMES.nearest(styled) == name


@given(st.sampled_from(CONTRACT), st.data())
def test_one_slip_is_close(name: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(name) - 1))
    put = data.draw(st.text("abcxyz", max_size=1))
    assert NAMES.nearest(name[:place] + put + name[place + 1 :]) is not None


@given(st.sampled_from(CONTRACT), st.text("abc_", max_size=20))
def test_what_follows_a_name_does_not_hide_it(name: str, more: str) -> None:
    assert NAMES.nearest(name + more) is not None


@given(st.text())
def test_any_text_has_a_name_of_the_contract_or_none(field: str) -> None:
    assert NAMES.nearest(field) in {None, *CONTRACT}


@given(SHORT_TEXTS, SHORT_TEXTS, SHORT_TEXTS)
def test_the_edit_distance_is_a_distance(a: str, b: str, c: str) -> None:
    assert (edit_distance(a, b) == 0) == (a == b)
    assert edit_distance(a, b) == edit_distance(b, a)
    assert edit_distance(a, c) <= edit_distance(a, b) + edit_distance(b, c)
    assert abs(len(a) - len(b)) <= edit_distance(a, b) <= max(len(a), len(b))


def test_only_the_beginning_is_looked_at() -> None:
    assert NAMES.nearest("-" * (LONGEST_NAME - 9) + "client_ts") == "client_ts"
    assert NAMES.nearest("-" * LONGEST_NAME + "client_ts") is None
    many = dict.fromkeys((f"{n:03}" for n in range(MOST_FIELDS - 1)), 1)
    assert NAMES.like_known(msgspec.json.encode(many | {"clientTs": 1}).decode())
    assert not NAMES.like_known(msgspec.json.encode(many | {"a": 1, "clientTs": 1}).decode())
