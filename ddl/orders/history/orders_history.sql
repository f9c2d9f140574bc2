-- The older dataset may have copies of events that are here, too: of those, the first is kept.
CREATE OR REPLACE TABLE FUNCTION `${project}.${dataset}.orders_history_between`(first_date DATE, last_date DATE) AS
WITH
  events AS (
    SELECT
      event_type,
      order_id,
      customer_id,
      order_date,
      status,
      items,
      shipping_address,
      total_amount,
      event_id,
      extra,
      event_date,
      publish_ts,
      processed_timestamp,
      message_id,
      pipeline_version,
      contract_version
    FROM `${project}.${dataset}.orders_fact`
    WHERE event_date BETWEEN first_date AND last_date
    UNION ALL
    SELECT
      event_type,
      order_id,
      customer_id,
      order_date,
      status,
      items,
      shipping_address,
      total_amount,
      event_id,
      extra,
      event_date,
      publish_ts,
      processed_timestamp,
      message_id,
      pipeline_version,
      contract_version
    FROM `${older_dataset}.orders_fact`
    WHERE event_date BETWEEN first_date AND last_date
  )
SELECT *
FROM events
WHERE TRUE
QUALIFY ROW_NUMBER() OVER (PARTITION BY event_date, event_id ORDER BY publish_ts, message_id, processed_timestamp) = 1;

-- A column without OPTIONS has the description of the column of orders_fact.
CREATE OR REPLACE VIEW `${project}.${dataset}.orders_history` (
  event_type,
  order_id,
  customer_id,
  order_date,
  status,
  items,
  shipping_address,
  total_amount,
  event_id,
  extra,
  event_date,
  publish_ts,
  processed_timestamp,
  message_id,
  pipeline_version,
  contract_version
)
OPTIONS (description = "One row per event of this dataset and of an older one: of its copies, the one published first.") AS
SELECT *
FROM `${project}.${dataset}.orders_history_between`(DATE '${earliest_date}', DATE '${latest_date}');
