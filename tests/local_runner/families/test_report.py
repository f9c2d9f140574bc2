"""The report of a run with several event families."""

import collections
import dataclasses
import datetime as dt
import decimal
import re

from local_runner.report.counts import Reconciliation
from local_runner.report.families import all_views, report_of
from local_runner.report.page import Figure, Report, Section
from local_runner.report.shown import FamilyReport, View
from local_runner.traffic.simulate import DUPLICATE, FACT
from schemas.families import FAMILIES
from tests.local_runner.pages import Page, drawings

SENT = collections.Counter(
    {FACT: 90, DUPLICATE: 3, "not_json": 2, "too_large": 1, "schema_violation": 2}
    | {"rule_violation": 1, "store_error": 1}
)


def by_family(found):
    """What was sent and found of two families, and of no family."""
    found = {"orders": SENT.copy(), "(no family)": collections.Counter({"not_json": 2})} | found
    sent = {"orders": SENT, "(no family)": collections.Counter({"not_json": 2})}
    parts = {name: Reconciliation(sent[name], found[name]) for name in sent}
    totals = [sum(counters.values(), collections.Counter()) for counters in (sent, found)]
    return Reconciliation(*totals, by_family=parts)


def test_each_family_has_its_counts_and_its_dead_letters(tmp_path):
    reconciliation = by_family({})
    assert reconciliation.faults == []
    assert reconciliation.family_lines() == [
        ("orders", 100, 90, 3, 7, 0),
        ("(no family)", 2, 0, 0, 2, 0),
    ]
    assert reconciliation.dead_letter_lines()[0] == ("not_json", 2, 2)
    assert [kind for kind, *_ in reconciliation.dead_letter_lines()] == [
        *("not_json", "too_large", "schema_violation", "rule_violation", "store_error")
    ]


def test_what_one_family_lacks_another_one_does_not_make_up_for():
    more = SENT + collections.Counter({"not_json": 1})
    swapped = by_family({"orders": more, "(no family)": collections.Counter({"not_json": 1})})
    assert swapped.unaccounted == 0
    assert swapped.faults == [
        "orders: 1 messages more than the 100 sent",
        "orders: the outcomes in the warehouse differ from those sent",
        "(no family): 1 of 2 messages are unaccounted for",
        "(no family): the outcomes in the warehouse differ from those sent",
    ]


SHOP = {
    "orders_current": [("pending", 2), ("delivered", 1)],
    "customer_lifetime_value": [("c-1", 2, decimal.Decimal("1234.5")), ("c-2", 1, 1)],
    "stock_levels": [("p-1", "bergen", 3, True), ("p-2", "lyon", 1_200, False)],
    "user_funnel": [
        (dt.date(2026, 3, day), step, users, 9, 0.5)
        for day in (2, 3)
        for step, users in (("login", 4), ("add_to_cart", 2))
    ],
}


def shop(rows):
    """The sections of the shop's families, with these rows in each chart."""
    return [
        Section(
            name,
            [View("first", ["customer_id", "worth"], [("c-1", decimal.Decimal("1234.5"))])],
            [
                Figure(chart, View(chart.query.view, ["name"], rows(chart.query.view)))
                for chart in report_of(FAMILIES[name]).charts
            ],
            "",
        )
        for name in ("orders", "inventory", "user_activity")
    ]


def test_the_shop_has_a_section_for_each_family(tmp_path):
    path = tmp_path / "report.html"
    Report("The shop", {}, by_family({}), shop(SHOP.__getitem__)).write(path)
    text = path.read_text()
    page = Page(text)
    assert page.loads == []
    assert page.labels == [
        "Orders by status: 3 orders, 2 pending, 0 processing, 0 shipped, 1 delivered.",
        "Customers by lifetime value: 2; the most, 1,234.50, for c-1.",
        "Stock of 2 products in their warehouses, 1 of them low; the least, 3, of p-1 in bergen.",
        "Users by step, over 2 days; on Mar 03: 4 login, 2 add to cart.",
    ]
    assert re.findall("<h2>(.*)</h2>", text)[2:] == ["Orders", "Inventory", "User activity"]
    for width in ("narrow", "wide"):
        drawn = "".join(drawings(text, width))
        assert ">p-1, bergen (low)<" in drawn
        assert ">Mar 02: add to cart<" in drawn
    assert '<td class="n">1,234.50</td>' in text


def test_a_shop_without_events_makes_a_page_too(tmp_path):
    path = tmp_path / "report.html"
    Report("The shop", {}, by_family({}), shop(lambda _: [])).write(path)
    assert path.read_text().count("No data.") == 4


def test_a_family_without_a_module_shows_its_views():
    family = dataclasses.replace(FAMILIES["orders"], name="inventory_of_parcels")
    assert report_of(family) == FamilyReport([])
    queries = all_views(FAMILIES["orders"]).summaries
    assert {query.view for query in queries} >= {"orders", "orders_current"}


def test_nested_values_are_text():
    view = View("orders", ["items"], [([{"product_id": "p-1", "price": decimal.Decimal(1)}],)])
    assert view.shown() == [('[{"product_id": "p-1", "price": "1"}]',)]
