-- fail: Every value of a fact lies within what the contract allows.
-- Private fields are left out: a pseudonym may stand in their place.
-- Rendered from schemas/inventory/v1.avsc by python -m ddl render: do not edit.
WITH
  facts AS (
    SELECT *
    FROM `${project}.${dataset}.inventory_fact`
    WHERE event_date BETWEEN @first_date AND @last_date
  )
SELECT finding, event_id, event_type, message_id, event_date
FROM facts
CROSS JOIN UNNEST([
  IF(event_type NOT IN ('inventory', 'inventory_changed'), 'event_type', NULL),
  IF(CHAR_LENGTH(inventory_id) NOT BETWEEN 1 AND 128, 'inventory_id', NULL),
  IF(CHAR_LENGTH(product_id) NOT BETWEEN 1 AND 128, 'product_id', NULL),
  IF(CHAR_LENGTH(warehouse_id) NOT BETWEEN 1 AND 128, 'warehouse_id', NULL),
  IF(quantity_change NOT BETWEEN -100 AND 100, 'quantity_change', NULL),
  IF(reason NOT IN ('restock', 'sale', 'return', 'damage'), 'reason', NULL),
  IF(CHAR_LENGTH(event_id) NOT BETWEEN 1 AND 128, 'event_id', NULL),
  IF(event_date != DATE(timestamp, 'UTC'), 'event_date', NULL)
]) AS finding
WHERE finding IS NOT NULL;
