connection: "@{connection}"
include: "low_stock.view.lkml"
include: "stock_changes.view.lkml"

explore: low_stock {
  description: "One row per product and warehouse with fewer than 10 pieces in stock at the end of the last date, by the changes that the fact table still has."
  always_filter: { filters: [low_stock.dates: "7 days"] }
}

explore: stock_changes {
  description: "One row per change of the stock of a product in a warehouse."
  always_filter: { filters: [stock_changes.dates: "7 days"] }
}
