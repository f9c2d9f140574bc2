"""What the report shows of the inventory changes."""

from local_runner.report import charts
from local_runner.report.charts import Bar
from local_runner.report.shown import Chart, FamilyReport, Query, Rows

_SHOWN = 15


def _draw(rows: Rows) -> charts.Drawings:
    bars = [
        Bar(f"{product}, {warehouse} (low)", quantity, charts.WRONG)
        if is_low
        else Bar(f"{product}, {warehouse}", quantity, charts.COMPLETIONS)
        for product, warehouse, quantity, is_low in rows[:_SHOWN]
    ]
    return charts.by_name(bars, "Pieces in stock", full=True)


def _say(rows: Rows) -> str:
    product, warehouse, quantity, _ = rows[0]
    low = sum(is_low for *_, is_low in rows)
    return (
        f"Stock of {len(rows):,} products in their warehouses, {low:,} of them low; the least, "
        f"{quantity:,}, of {product} in {warehouse}."
    )


_ORDER = "quantity, product_id, warehouse_id"

REPORT = FamilyReport(
    summaries=(
        Query(
            "stock_levels",
            "product_id, warehouse_id, last_change_ts, is_low, quantity",
            _ORDER,
        ),
    ),
    charts=(
        Chart(
            f"The {_SHOWN} lowest stock levels",
            Query("stock_levels", "product_id, warehouse_id, quantity, is_low", _ORDER),
            _draw,
            _say,
            full=True,
        ),
    ),
)
