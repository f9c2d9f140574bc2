"""Bodies that have broken parsers: each by a name, made when asked for."""

from collections.abc import Callable, Mapping

from tests.transforms.builders import payload, raw

LIMIT = 256 * 1024
_MEGABYTES = 10_000_000


def nested(depth: int, opening: str = "[", closing: str = "]") -> str:
    return opening * depth + closing * depth


def _filled(size: int) -> bytes:
    """A valid message of exactly so many bytes."""
    empty = payload(z="")
    return payload(z="x" * (size - len(empty)))


NUMBERS = (
    *("0", "-0", "0.0", "-0.0", "1e0", "01", "+1", ".5", "1.", "1e", "0x10", "1_000", "٣"),
    *("1e308", "1e309", "-1e400", "1e-400", "5e-324", "1.7976931348623157e308", "2.2e-308"),
    *("9223372036854775807", "9223372036854775808", "-9223372036854775809", "18446744073709551616"),
    *("1" * 30, "9" * 400, "9" * 4_301, "9" * 100_000, "0." + "3" * 400, "1e" + "9" * 30),
    *("NaN", "nan", "Infinity", "-Infinity", "1e99999999999999999999"),
)
STRINGS = (
    *(
        r'"\ud800"',
        r'"\udfff"',
        r'"\ud800\ud800"',
        r'"\udc00\ud800"',
        r'"\ud83d\ude00"',
        r'"\u0000"',
    ),
    *('"\x00"', '"\x1f"', '"\x7f"', '"\u2028"', '"\ufeff"', '"\U0010ffff"', r'"\x41"', r'"\u12"'),
    *('"', '"\\', '"\\"', "''", '"' + "\\u0041" * 8_193 + '"', '"' + "x" * 129 + '"', '""'),
    *('"2026-03-02T10:00:00Z"', '"0001-01-01T00:00:00+23:59"', '"9999-12-31T23:59:59-23:59"'),
    *('"2026-03-02T10:00:60Z"', '"2026-03-02T24:00:00Z"', '"2026-03-02T10:00:00.9999999999Z"'),
    *('"2026-03-02T10:00:00+24:00"', '"-0001-01-01T00:00:00Z"', '"10000-01-01T00:00:00Z"'),
)
TREES = (
    *(nested(depth) for depth in (1, 99, 100, 101, 1_000, 60_000)),
    *(nested(depth, '{"a":', "}").replace(":}", ":1}") for depth in (99, 100, 500)),
    *("{}", "[]", "[,]", "{,}", '{"a":1,}', "[1 2]", '{"a" 1}', '{"a":1 "b":2}', "[[]", "null"),
    *('{"":1}', '{"a":1,"a":2}', '{"\\u0061":1,"a":2}', "// x\n1", "/* x */ 1", "true", "tru"),
    '{"' + "k" * 100_000 + '":1}',
    "{" + ",".join(f'"k{n}":{n}' for n in range(10_000)) + "}",
    "[" + ",".join(["0"] * 60_000) + "]",
)
TOKENS = (*NUMBERS, *STRINGS, *TREES)

BODIES: Mapping[str, Callable[[], bytes]] = {
    "nothing": lambda: b"",
    "white space": lambda: b" \t\r\n" * 1_000,
    "null bytes": lambda: b"\x00" * 1_000,
    "a null byte after": lambda: payload() + b"\x00",
    "a byte order mark": lambda: b"\xef\xbb\xbf" + payload(),
    "two of them": lambda: b"\xef\xbb\xbf" * 2 + payload(),
    "UTF-16": lambda: payload().decode().encode("utf-16"),
    "UTF-32": lambda: payload().decode().encode("utf-32"),
    "Latin-1": lambda: payload(answer="~").replace(b"~", b"\xe9"),
    "an overlong slash": lambda: payload(answer="~").replace(b"~", b"\xc0\xaf"),
    "a surrogate in UTF-8": lambda: payload(answer="~").replace(b"~", b"\xed\xa0\x80"),
    "past Unicode": lambda: payload(answer="~").replace(b"~", b"\xf4\x90\x80\x80"),
    "cut in a character": lambda: payload(answer="é").rsplit(b"\\", 1)[0],
    "two documents": lambda: payload() + payload(),
    "lines": lambda: payload() + b"\n" + payload(),
    "gzip": lambda: b"\x1f\x8b\x08\x00" + bytes(range(256)),
    "protobuf": lambda: bytes(range(256)) * 4,
    "every key twice": lambda: raw(payload()[1:-1].decode()),
    "the largest that is taken": lambda: _filled(LIMIT),
    "one byte too many": lambda: _filled(LIMIT + 1),
    "10 MB of an event": lambda: _filled(_MEGABYTES),
    "10 MB of brackets": lambda: b"[" * _MEGABYTES,
    "10 MB of objects": lambda: b'{"a":' * (_MEGABYTES // 5),
    "10 MB of digits": lambda: b"7" * _MEGABYTES,
    "10 MB of one string": lambda: b'"' + b"\\" * _MEGABYTES,
    "10 MB of event_id": lambda: b'{"event_id":"' + b"e" * _MEGABYTES + b'"}',
    "10 MB of event_ids": lambda: b"{" + b'"event_id":"e",' * (_MEGABYTES // 15) + b'"z":1}',
    "10 MB of commas": lambda: b"[" + b"," * _MEGABYTES,
    "256 KiB of arrays": lambda: raw('"z":[' + ",".join(["[]"] * 80_000) + "]"),
    "256 KiB of objects": lambda: raw('"z":[' + ",".join(["{}"] * 80_000) + "]"),
    "256 KiB of keys": lambda: raw(",".join(f'"{n:x}":0' for n in range(26_000))),
    "256 KiB of digits": lambda: raw('"z":' + "7" * 260_000),
    "256 KiB of zeroes": lambda: raw('"z":0.' + "0" * 260_000 + "1"),
}
