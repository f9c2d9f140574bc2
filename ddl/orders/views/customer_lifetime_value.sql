-- From orders, not from events: the four events in the life of an order are one order. BIGNUMERIC,
-- since a few totals at the limit of the contract exceed NUMERIC, and would fail the query.
CREATE OR REPLACE TABLE FUNCTION `${project}.${dataset}.customer_lifetime_value_between`(first_date DATE, last_date DATE) AS
SELECT
  customer_id,
  COUNT(*) AS orders,
  COUNTIF(status = 'delivered') AS delivered_orders,
  SUM(CAST(total_amount AS BIGNUMERIC)) AS lifetime_value,
  MAX(order_date) AS last_order_date
FROM `${project}.${dataset}.orders_current_between`(first_date, last_date)
GROUP BY customer_id;

CREATE OR REPLACE VIEW `${project}.${dataset}.customer_lifetime_value` (
  customer_id OPTIONS (description = "The customer of the orders: that of their last event."),
  orders OPTIONS (description = "Number of orders, whatever their status."),
  delivered_orders OPTIONS (description = "Number of orders that are delivered."),
  lifetime_value OPTIONS (description = "Sum of total_amount of the orders, whatever their status, in the currency of the shop."),
  last_order_date OPTIONS (description = "Event time of the last event of any of the orders.")
)
OPTIONS (description = "One row per customer: the orders whose events the fact table still has, and what they are worth.") AS
SELECT *
FROM `${project}.${dataset}.customer_lifetime_value_between`(DATE '${earliest_date}', DATE '${latest_date}');
