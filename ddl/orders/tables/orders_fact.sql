-- Rendered from schemas/orders/v1.avsc by python -m ddl render: do not edit.
CREATE TABLE IF NOT EXISTS `${project}.${dataset}.orders_fact` (
  event_type STRING NOT NULL OPTIONS (description = "What happened to the order; order where the shop does not say what."),
  order_id STRING NOT NULL OPTIONS (description = "The order, 1 to 128 characters; all events of an order share it."),
  customer_id STRING NOT NULL OPTIONS (description = "The customer who ordered, 1 to 128 characters."),
  order_date TIMESTAMP NOT NULL OPTIONS (description = "Event time by the shop's clock, UTC: when this happened to the order. RFC 3339 with an offset or Z in the message; digits past the microsecond are cut."),
  status STRING NOT NULL OPTIONS (description = "How far the order is after this event."),
  items ARRAY<STRUCT<
    product_id STRING OPTIONS (description = "The product, 1 to 128 characters."),
    product_name STRING OPTIONS (description = "Name of the product as the customer saw it, 1 to 1,024 characters."),
    quantity INT64 OPTIONS (description = "How many pieces were ordered, from 1 to 1,000,000."),
    price NUMERIC OPTIONS (description = "Price of one piece in the currency of the shop, from 0. A JSON number or string in the message; rounded half even to nine decimals.")
  >> OPTIONS (description = "What was ordered: 1 to 1,000 lines, each one product."),
  shipping_address STRUCT<
    street STRING OPTIONS (description = "Street and number, 1 to 1,024 characters."),
    city STRING OPTIONS (description = "City, 1 to 1,024 characters."),
    country STRING OPTIONS (description = "Country, 1 to 1,024 characters.")
  > NOT NULL OPTIONS (description = "Where the order is sent to."),
  total_amount NUMERIC NOT NULL OPTIONS (description = "What the customer pays in the currency of the shop, from 0; tax, shipping and discounts may set it apart from the sum of the items. A JSON number or string in the message; rounded half even to nine decimals."),
  event_id STRING NOT NULL OPTIONS (description = "Identity of the event, 1 to 128 characters. Two messages with one event_id are copies of one event. An event without one gets a digest of all that it says."),
  extra JSON OPTIONS (description = "Fields of the event that the contract does not know by their path, keys sorted; null where there are none."),
  event_date DATE NOT NULL OPTIONS (description = "UTC date of order_date; the partition."),
  publish_ts TIMESTAMP NOT NULL OPTIONS (description = "When Pub/Sub took the message; for a file, the start of the run."),
  processed_timestamp TIMESTAMP NOT NULL OPTIONS (description = "When the append that BigQuery took was sent."),
  message_id STRING NOT NULL OPTIONS (description = "Pub/Sub's id of the message; for a line of a file, its URI or absolute path and the line number."),
  pipeline_version STRING NOT NULL OPTIONS (description = "Version of the pipeline that made this row."),
  contract_version STRING OPTIONS (description = "Version of the contract that the event was read by.")
)
PARTITION BY event_date
CLUSTER BY customer_id, status
OPTIONS (
  description = "One event in the life of an order, as decoded from one UTF-8 JSON message. Each event carries the whole order as it then was. Fields that this contract does not know are kept beside it, as JSON.",
  partition_expiration_days = 90,
  labels = [("managed_by", "exam-events"), ("table_type", "fact")]
);
