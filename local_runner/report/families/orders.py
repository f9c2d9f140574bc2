"""What the report shows of the orders."""

from local_runner.report import charts
from local_runner.report.charts import Bar
from local_runner.report.shown import Chart, FamilyReport, Query, Rows

_STATUSES = ("pending", "processing", "shipped", "delivered")
_BEST_CUSTOMERS = 10


def _by_status(rows: Rows) -> dict[str, int]:
    counts: dict[str, int] = dict(rows)
    return {status: counts.get(status, 0) for status in _STATUSES}


def _draw_statuses(rows: Rows) -> charts.Drawings:
    bars = [Bar(status, count, charts.STARTS) for status, count in _by_status(rows).items()]
    return charts.by_name(bars, "Orders")


def _say_statuses(rows: Rows) -> str:
    found = _by_status(rows)
    counts = ", ".join(f"{count:,} {status}" for status, count in found.items())
    return f"Orders by status: {sum(found.values()):,} orders, {counts}."


def _draw_values(rows: Rows) -> charts.Drawings:
    bars = [Bar(name, float(value), charts.COMPLETIONS) for name, _, value in rows]
    return charts.by_name(
        bars[:_BEST_CUSTOMERS], "In the currency of the shop", number_format=",.0f"
    )


def _say_values(rows: Rows) -> str:
    name, _, value = rows[0]
    return f"Customers by lifetime value: {len(rows):,}; the most, {value:,.2f}, for {name}."


REPORT = FamilyReport(
    summaries=(
        Query(
            "orders_current",
            "order_id, customer_id, order_date, status, ARRAY_LENGTH(items) AS items, total_amount",
            "order_date DESC, order_id",
        ),
        Query(
            "customer_lifetime_value",
            "customer_id, last_order_date, orders, delivered_orders, lifetime_value",
            "lifetime_value DESC, customer_id",
        ),
    ),
    charts=(
        Chart(
            "Orders by status",
            Query("orders_current", "status, COUNT(*) AS orders", group="status"),
            _draw_statuses,
            _say_statuses,
        ),
        Chart(
            f"The {_BEST_CUSTOMERS} customers with the highest lifetime value",
            Query(
                "customer_lifetime_value",
                "customer_id, orders, lifetime_value",
                "lifetime_value DESC, customer_id",
            ),
            _draw_values,
            _say_values,
        ),
    ),
)
