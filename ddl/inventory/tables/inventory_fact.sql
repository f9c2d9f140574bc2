-- Rendered from schemas/inventory/v1.avsc by python -m ddl render: do not edit.
CREATE TABLE IF NOT EXISTS `${project}.${dataset}.inventory_fact` (
  event_type STRING NOT NULL OPTIONS (description = "What happened: the stock changed. Both types mean the same."),
  inventory_id STRING NOT NULL OPTIONS (description = "The entry in the books of the warehouse, 1 to 128 characters."),
  product_id STRING NOT NULL OPTIONS (description = "The product, 1 to 128 characters."),
  warehouse_id STRING NOT NULL OPTIONS (description = "The warehouse, 1 to 128 characters."),
  quantity_change INT64 NOT NULL OPTIONS (description = "How many pieces came in (above 0) or went out (below 0), from -100 to 100."),
  reason STRING NOT NULL OPTIONS (description = "Why the stock changed: restock and return bring pieces in, sale and damage take them out."),
  timestamp TIMESTAMP NOT NULL OPTIONS (description = "Event time by the warehouse's clock, UTC. RFC 3339 with an offset or Z in the message; digits past the microsecond are cut."),
  event_id STRING NOT NULL OPTIONS (description = "Identity of the event, 1 to 128 characters. Two messages with one event_id are copies of one event. An event without one gets a digest of all that it says."),
  extra JSON OPTIONS (description = "Fields of the event that the contract does not know by their path, keys sorted; null where there are none."),
  event_date DATE NOT NULL OPTIONS (description = "UTC date of timestamp; the partition."),
  publish_ts TIMESTAMP NOT NULL OPTIONS (description = "When Pub/Sub took the message; for a file, the start of the run."),
  processed_timestamp TIMESTAMP NOT NULL OPTIONS (description = "When the append that BigQuery took was sent."),
  message_id STRING NOT NULL OPTIONS (description = "Pub/Sub's id of the message; for a line of a file, its URI or absolute path and the line number."),
  pipeline_version STRING NOT NULL OPTIONS (description = "Version of the pipeline that made this row."),
  contract_version STRING OPTIONS (description = "Version of the contract that the event was read by.")
)
PARTITION BY event_date
CLUSTER BY product_id, warehouse_id
OPTIONS (
  description = "One change of the stock of a product in a warehouse, as decoded from one UTF-8 JSON message. Fields that this contract does not know are kept beside it, as JSON.",
  partition_expiration_days = 90,
  labels = [("managed_by", "exam-events"), ("table_type", "fact")]
);
