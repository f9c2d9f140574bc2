"""Values as PostgreSQL writes them: times in one form, and hashes that pull and capture share."""

import datetime as dt
import hashlib
import hmac
import re
import zoneinfo
from collections.abc import Iterable

_HASH_BYTES = 8
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND = dt.timedelta(microseconds=1)
_HOUR = re.compile(r"(\d{4}):(\d{2}):(\d{2}) (\d{2})", re.ASCII)


def instant(text: str, time_zone: str | None) -> dt.datetime | None:
    """The time that a text stands for, in UTC.

    Args:
        text: in DateStyle ISO, with an offset or without one.
        time_zone: of a time without an offset. Of an hour that a clock passes twice, it is the
            first.

    Returns:
        None for what is no time of the years 1 to 9999, or has neither offset nor zone.
    """
    try:
        written = dt.datetime.fromisoformat(text)
        if written.tzinfo is None:
            if time_zone is None:
                return None
            written = written.replace(tzinfo=zoneinfo.ZoneInfo(time_zone))
        return written.astimezone(dt.UTC)
    except (ValueError, OverflowError):
        return None


def rfc3339(text: str | None, time_zone: str | None) -> str | None:
    """A time as a contract wants it; what is no time stays as it is, for the contract to reject."""
    if text is None or (time := instant(text, time_zone)) is None:
        return text
    return format_time(time)


def format_time(time: dt.datetime) -> str:
    """A time in UTC as a contract wants it."""
    return time.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")


def canonical_time(text: str | None, time_zone: str | None) -> str | None:
    """A time as microseconds since 1970, so that one instant has one hash."""
    if text is None or (time := instant(text, time_zone)) is None:
        return text
    return f"{(time - _EPOCH) // _MICROSECOND}us"


def digest(texts: Iterable[str | None], key: bytes | None) -> str:
    """16 hex digits over a sequence of texts.

    Args:
        texts: each counts with its length, so that no two sequences are alike; None is not empty.
        key: of pseudonyms: without it nobody can find an id by trying all of them.
    """
    parts = []
    for text in texts:
        encoded = b"" if text is None else text.encode()
        parts.append(b"-" if text is None else b"%d:%b" % (len(encoded), encoded))
    canonical = b"".join(parts)
    if key is not None:
        return hmac.digest(key, canonical, "sha256")[:_HASH_BYTES].hex()
    return hashlib.blake2b(canonical, digest_size=_HASH_BYTES).hexdigest()


def window_bound(text: str, time_zone: str | None) -> dt.datetime:
    """A bound of ``--start`` or ``--end``: ISO 8601, or ``2024:06:01 10`` for an hour.

    Without an offset it is in the source's time zone, or in UTC.

    Raises:
        ValueError: it is neither.
    """
    hour = _HOUR.fullmatch(text)
    time = instant(hour.expand(r"\1-\2-\3 \4:00") if hour else text, time_zone or "UTC")
    if time is None:
        raise ValueError("must be a time such as 2024-06-01T10:00:00Z, 2024-06-01 or 2024:06:01 10")
    return time
