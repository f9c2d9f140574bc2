"""No address and no telephone number survives, wherever in a string it stands."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.decoding.personal_data import (
    EMAIL,
    IP,
    PHONE,
    without_personal_data,
    without_personal_data_in_name,
)

WORDS = st.text(st.sampled_from("abcxyz éß.,;!?()"), max_size=12)
LABEL = st.text(st.sampled_from("abcxyz019-_é"), min_size=1, max_size=12)
SEPARATOR = st.sampled_from(["", " ", "-", ".", "/", " / ", ") ", "\u00a0", "\u2011"])


@st.composite
def emails(draw: st.DrawFn) -> str:
    local = draw(st.text(st.sampled_from("abcxyz019.+-_'é"), min_size=1, max_size=20))
    sign = draw(st.sampled_from(["@", "%40", "\uff20"]))
    return local + sign + ".".join(draw(st.lists(LABEL, min_size=1, max_size=3)))


@st.composite
def ips(draw: st.DrawFn) -> str:
    address = draw(st.ip_addresses())
    if isinstance(address, ipaddress.IPv4Address) or draw(st.booleans()):
        return str(address)
    return draw(st.sampled_from([address.exploded, str(address).upper()]))


@st.composite
def phones(draw: st.DrawFn) -> str:
    digits = draw(st.text(st.sampled_from("0123456789"), min_size=7, max_size=15))
    separator = draw(SEPARATOR)
    parts = [digits[place : place + 3] for place in range(0, len(digits), 3)]
    return draw(st.sampled_from(["+", ""])) + separator.join(parts)


def digits_of(text: str) -> str:
    return "".join(character for character in text if character.isdigit())


@given(WORDS, emails(), WORDS)
def test_no_email_address_stays(before: str, email: str, after: str) -> None:
    clean = without_personal_data(f"{before} {email} {after}")
    assert EMAIL in clean
    assert not any(sign in clean for sign in ("@", "\uff20", "%40"))


@given(WORDS, ips(), WORDS)
def test_no_ip_address_stays(before: str, ip: str, after: str) -> None:
    clean = without_personal_data(f"{before} {ip} {after}")
    assert ip == "::" or digits_of(clean) == ""
    assert IP in clean or ip == "::" or PHONE in clean
    name = without_personal_data_in_name(f"{before} {ip} {after}")
    assert ip == "::" or IP in name


@given(WORDS, phones(), WORDS)
def test_no_telephone_number_stays(before: str, phone: str, after: str) -> None:
    clean = without_personal_data(f"{before}{phone}{after}")
    assert digits_of(clean) == ""


@given(st.text())
def test_what_is_clean_stays_clean(text: str) -> None:
    clean = without_personal_data(text)
    assert without_personal_data(clean) == clean
    name = without_personal_data_in_name(text)
    assert without_personal_data_in_name(name) == name


@pytest.mark.parametrize(
    "text",
    [
        "",
        "lesson 12 of 30",
        "std::vector at 10:20:30",
        "0.5 of 100",
        "v5.2.0",
        "page 3, 4 and 5",
    ],
)
def test_what_is_no_personal_data_stays(text: str) -> None:
    assert without_personal_data(text) == text


@pytest.mark.parametrize(
    "name",
    [
        "lesson-2026-03-02",
        "550e8400-e29b-41d4-a716-446655440000",
        "1700000000123",
        "fractions-2",
        "2026.11.1",
        "de-AT",
    ],
)
def test_the_digits_of_an_id_are_no_telephone_number(name: str) -> None:
    assert without_personal_data_in_name(name) == name


@pytest.mark.parametrize(
    "name", ["+47 22 12 34 56", "ann@example.com", "192.0.2.7", "2001:db8::1", "tel:+4722123456"]
)
def test_an_id_that_is_personal_data_goes(name: str) -> None:
    clean = without_personal_data_in_name(name)
    assert clean.removeprefix("tel:") in (EMAIL, IP, PHONE)
