"""Keys of pseudonyms, and an oracle for what they give that shares no code with ours."""

import hashlib
import hmac

KEYS = {
    "k1": "the first key of at least 32 bytes...",
    "k2": "the second key of at least 32 bytes..",
}
VARIABLES = {name: f"TEST_PSEUDONYM_{name.upper()}" for name in KEYS}
OPTIONS = [f"--pseudonym_key={name}=env:{variable}" for name, variable in VARIABLES.items()]


def expected(value: str, *names: str) -> str:
    """The pseudonym of an id under these keys, one after the other."""
    for name in names:
        made = hmac.new(KEYS[name].encode(), value.encode(), hashlib.sha256)
        value = f"{name}.{made.hexdigest()[:32]}"
    return value
