-- Each order as its last event among those of the dates left it: by order_date, and where clocks tie
-- by how far the order is, then by publish time and event_id. From the earliest date to a day, that
-- is the state at the end of the day.
CREATE OR REPLACE TABLE FUNCTION `${project}.${dataset}.orders_current_between`(first_date DATE, last_date DATE) AS
SELECT *
FROM `${project}.${dataset}.orders_between`(first_date, last_date)
WHERE TRUE
QUALIFY
  ROW_NUMBER() OVER (
    PARTITION BY order_id
    ORDER BY
      order_date DESC,
      CASE status
        WHEN 'pending' THEN 1
        WHEN 'processing' THEN 2
        WHEN 'shipped' THEN 3
        WHEN 'delivered' THEN 4
      END DESC,
      publish_ts DESC,
      event_id DESC
  ) = 1;

-- A column without OPTIONS has the description of the column of the fact table.
CREATE OR REPLACE VIEW `${project}.${dataset}.orders_current` (
  event_type OPTIONS (description = "What the last event of the order says happened."),
  order_id OPTIONS (description = "The order; one row each."),
  customer_id,
  order_date OPTIONS (description = "Event time of the last event of the order."),
  status OPTIONS (description = "How far the order is: pending, processing, shipped or delivered."),
  items,
  shipping_address,
  total_amount,
  event_id OPTIONS (description = "The last event of the order."),
  extra,
  event_date,
  publish_ts,
  processed_timestamp,
  message_id,
  pipeline_version,
  contract_version
)
OPTIONS (description = "One row per order: its last event by order_date, status, publish_ts and event_id.") AS
SELECT *
FROM `${project}.${dataset}.orders_current_between`(DATE '${earliest_date}', DATE '${latest_date}');
