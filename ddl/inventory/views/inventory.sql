-- Rendered from schemas/inventory/v1.avsc by python -m ddl render: do not edit.
-- Copies of an event have one event_date, so that a filter on it prunes.
CREATE OR REPLACE TABLE FUNCTION `${project}.${dataset}.inventory_between`(first_date DATE, last_date DATE) AS
SELECT
  event_type,
  inventory_id,
  product_id,
  warehouse_id,
  quantity_change,
  reason,
  timestamp,
  event_id,
  extra,
  event_date,
  publish_ts,
  processed_timestamp,
  message_id,
  pipeline_version,
  contract_version
FROM `${project}.${dataset}.inventory_fact`
WHERE event_date BETWEEN first_date AND last_date
QUALIFY ROW_NUMBER() OVER (PARTITION BY event_date, event_id ORDER BY publish_ts, message_id, processed_timestamp) = 1;

-- A column without OPTIONS has the description of the column of inventory_fact.
CREATE OR REPLACE VIEW `${project}.${dataset}.inventory` (
  event_type,
  inventory_id,
  product_id,
  warehouse_id,
  quantity_change,
  reason,
  timestamp,
  event_id,
  extra,
  event_date,
  publish_ts,
  processed_timestamp,
  message_id,
  pipeline_version,
  contract_version
)
OPTIONS (description = "One row per event: of its copies, the one published first.") AS
SELECT *
FROM `${project}.${dataset}.inventory_between`(DATE '${earliest_date}', DATE '${latest_date}');
