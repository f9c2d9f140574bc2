"""Takes e-mail addresses, IP addresses and telephone numbers out of strings.

It rather takes too much: a date or a version of four numbers in a sentence goes, too. All patterns
are bounded, so that the time grows with the length of the string only.
"""

import re

EMAIL, IP, PHONE = "[email]", "[ip]", "[phone]"

# Everything around the sign, which may be escaped as in a URL or of full width.
_SIGN = "(?:[@\uff20]|%40)"
_NOT_OF_ADDRESS = r'\s@\uff20"<>(),:;\[\]\\'
_EMAIL = re.compile(
    rf'(?:"[^"@]{{1,64}}"|[^{_NOT_OF_ADDRESS}]{{1,64}}){_SIGN}'
    rf"(?:\[[^\s\]]{{1,64}}\]|[^{_NOT_OF_ADDRESS}]{{1,255}})"
)
_PART = r"[0-9A-Fa-f]{1,4}"
_IPV6 = re.compile(
    rf"(?<!\w)(?:{_PART}(?::{_PART}){{7}}"
    rf"|(?:{_PART}(?::{_PART}){{0,6}})?::{_PART}(?::{_PART}){{0,6}}"
    rf"|{_PART}(?::{_PART}){{0,6}}::)"
    r"(?:\.\d{1,3}){0,3}(?:%\w{1,16})?(?!\w)"
)
_BYTE = r"(?:25[0-5]|2[0-4]\d|1\d\d|0?\d?\d|0\d\d)"
_IPV4 = re.compile(rf"(?<!\d)(?<!\d\.){_BYTE}(?:\.{_BYTE}){{3}}(?!\.?\d)")
# 7 to 15 digits (ITU-T E.164), with up to three other characters between two of them.
_DIGITS = r"\(?\d(?:[\s./()\-\u2010-\u2015]{0,3}\d){6,14}(?!\d)"
_PHONE = re.compile(rf"(?<!\d)\+?{_DIGITS}")
_PHONE_WITH_PLUS = re.compile(rf"\+\s?{_DIGITS}")


def without_personal_data(text: str) -> str:
    """A text, with placeholders instead of addresses and telephone numbers."""
    return _PHONE.sub(PHONE, _without_addresses(text))


def without_personal_data_in_name(name: str) -> str:
    """The same for an id, a version or a code, whose digits are seldom a telephone number."""
    return _PHONE_WITH_PLUS.sub(PHONE, _without_addresses(name))


def _without_addresses(text: str) -> str:
    if "@" in text or "\uff20" in text or "%40" in text:
        text = _EMAIL.sub(EMAIL, text)
    if ":" in text:
        text = _IPV6.sub(IP, text)
    return _IPV4.sub(IP, text) if "." in text else text
