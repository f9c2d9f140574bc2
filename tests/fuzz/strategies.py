"""Messages that hypothesis may draw, from nearly right to nothing like it."""

import json
import random
import re
from collections.abc import Iterator
from typing import Any

import msgspec
from hypothesis import strategies as st

from schemas.message import Message
from tests.fuzz.corpus import TOKENS
from tests.transforms import strategies
from tests.transforms.builders import NOW, REQUIRED, payload


def _is_json(token: bytes) -> bool:
    try:
        msgspec.json.decode(token)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False
    return True


EPOCHS = st.sampled_from([NOW, NOW.replace(year=1), NOW.replace(year=9999), NOW.replace(year=1970)])
_small_tokens = st.sampled_from([token for token in TOKENS if len(token) < 2_000])
_SMALL_TOKENS = [t.encode(errors="surrogatepass") for t in TOKENS if len(t) < 200]
_JSON_TOKENS = [token for token in _SMALL_TOKENS if _is_json(token)]
_WORD = re.compile(rb'"[^"\\\\]*"|-?[0-9][0-9.eE+-]*|true|false|null')
_PARTS = [b'"', b"\\", b"\\u", b"{", b"}", b"[", b"]", b",", b":", b"-", b"e", b"\x00", b"\xff"]
_rare_tokens = st.sampled_from(TOKENS)
values = (
    _small_tokens
    | _small_tokens
    | _small_tokens
    | strategies.json_texts
    | strategies.number_texts
    | st.text(max_size=20).map(json.dumps)
    | _rare_tokens
)
names = st.sampled_from([*strategies.FIELDS, "z", "", "\\u0061nswer", "replay_count"]) | st.text(
    max_size=12
).map(lambda text: json.dumps(text)[1:-1])


@st.composite
def spoilt_events(draw: Any) -> bytes:
    """An event whose members are dropped, doubled, or replaced by what does not belong there."""
    members = [(name, json.dumps(value)) for name, value in REQUIRED.items()]
    gone = draw(st.sets(st.integers(0, len(members) - 1), max_size=1))
    members = [member for place, member in enumerate(members) if place not in gone]
    kind = draw(st.sampled_from(["page_view", "answer_submit", "test_submit", "store_error"]))
    members.append(("event_type", json.dumps(kind)))
    members += draw(st.lists(st.tuples(names, values), max_size=4))
    text = ",".join(f'"{name}":{value}' for name, value in draw(st.permutations(members)))
    return ("{" + text + "}").encode(errors="surrogatepass")


@st.composite
def damaged(draw: Any, bodies: Any) -> bytes:
    """A body with bytes lost, repeated, or put in."""
    body = draw(bodies)
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(body)))
        end = min(len(body), start + draw(st.integers(0, 40)))
        noise = draw(
            st.binary(max_size=4) | st.sampled_from([b"\\u", b'"', b"}", b"\x00", b"\xff"])
        )
        body = body[:start] + noise + body[draw(st.sampled_from([start, end])) :]
    return body


def havoc(body: bytes, seed: int, count: int) -> Iterator[bytes]:
    """Bodies made of one by chance, far more cheaply than hypothesis draws them."""
    rng = random.Random(seed)
    for _ in range(count):
        changed = body
        for _ in range(rng.randint(1, 3)):
            words = list(_WORD.finditer(changed))
            if words and rng.random() < 0.7:
                start, end = rng.choice(words).span()
                put = rng.choice(_JSON_TOKENS if rng.random() < 0.9 else _SMALL_TOKENS)
            else:
                start = rng.randint(0, len(changed))
                end = start + rng.choice((0, 0, 1, 2, 8, 64))
                put = rng.choice((changed[start:end] * 2, rng.randbytes(1), rng.choice(_PARTS)))
            changed = changed[:start] + put + changed[end:]
        yield changed


events = strategies.events.map(msgspec.json.encode)
bodies = {
    "bytes": st.binary(max_size=200),
    "documents": values.map(lambda text: text.encode(errors="surrogatepass")),
    "spoilt events": spoilt_events(),
    "damaged events": damaged(st.just(payload()) | events | spoilt_events()),
    "events": events,
}
messages = {
    name: st.builds(
        Message,
        payload=body,
        message_id=st.text(max_size=12),
        publish_time=EPOCHS if name == "events" else st.just(NOW),
        source=st.just("projects/p/subscriptions/s") | st.text(max_size=12),
        attributes=st.just({}) | strategies.attributes(max_size=4),
        size=st.none() if name != "bytes" else st.none() | st.just(20_000_000),
    )
    for name, body in bodies.items()
}
