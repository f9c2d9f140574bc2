connection: "@{connection}"
include: "orders.view.lkml"

explore: orders {
  # Never join with stock_changes: A stock change names no order. Compare totals.
  description: "One row per order with an event on the dates: its last one there. Amounts are in the currency of the shop."
  always_filter: { filters: [orders.dates: "7 days"] }
}
