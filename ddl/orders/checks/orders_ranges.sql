-- fail: Every value of a fact lies within what the contract allows.
-- Private fields are left out: a pseudonym may stand in their place.
-- Rendered from schemas/orders/v1.avsc by python -m ddl render: do not edit.
WITH
  facts AS (
    SELECT *
    FROM `${project}.${dataset}.orders_fact`
    WHERE event_date BETWEEN @first_date AND @last_date
  )
SELECT finding, event_id, event_type, message_id, event_date
FROM facts
CROSS JOIN UNNEST([
  IF(event_type NOT IN ('order', 'order_created', 'order_updated', 'order_status_changed'), 'event_type', NULL),
  IF(CHAR_LENGTH(order_id) NOT BETWEEN 1 AND 128, 'order_id', NULL),
  IF(status NOT IN ('pending', 'processing', 'shipped', 'delivered'), 'status', NULL),
  IF(ARRAY_LENGTH(items) NOT BETWEEN 1 AND 1000, 'items', NULL),
  IF(EXISTS (SELECT 1 FROM UNNEST(items) AS element_1 WHERE CHAR_LENGTH(element_1.product_id) NOT BETWEEN 1 AND 128), 'items.product_id', NULL),
  IF(EXISTS (SELECT 1 FROM UNNEST(items) AS element_1 WHERE CHAR_LENGTH(element_1.product_name) NOT BETWEEN 1 AND 1024), 'items.product_name', NULL),
  IF(EXISTS (SELECT 1 FROM UNNEST(items) AS element_1 WHERE element_1.quantity NOT BETWEEN 1 AND 1000000), 'items.quantity', NULL),
  IF(EXISTS (SELECT 1 FROM UNNEST(items) AS element_1 WHERE element_1.price < NUMERIC '0'), 'items.price', NULL),
  IF(CHAR_LENGTH(shipping_address.street) NOT BETWEEN 1 AND 1024, 'shipping_address.street', NULL),
  IF(CHAR_LENGTH(shipping_address.city) NOT BETWEEN 1 AND 1024, 'shipping_address.city', NULL),
  IF(CHAR_LENGTH(shipping_address.country) NOT BETWEEN 1 AND 1024, 'shipping_address.country', NULL),
  IF(total_amount < NUMERIC '0', 'total_amount', NULL),
  IF(CHAR_LENGTH(event_id) NOT BETWEEN 1 AND 128, 'event_id', NULL),
  IF(event_date != DATE(order_date, 'UTC'), 'event_date', NULL)
]) AS finding
WHERE finding IS NOT NULL;
