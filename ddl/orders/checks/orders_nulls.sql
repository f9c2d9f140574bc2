-- fail: A fact has a value in every field that the contract requires.
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
  IF(contract_version IS NULL, 'contract_version', NULL),
  IF(EXISTS (SELECT 1 FROM UNNEST(items) AS element_1 WHERE element_1 IS NOT NULL AND element_1.product_id IS NULL), 'items.product_id', NULL),
  IF(EXISTS (SELECT 1 FROM UNNEST(items) AS element_1 WHERE element_1 IS NOT NULL AND element_1.product_name IS NULL), 'items.product_name', NULL),
  IF(EXISTS (SELECT 1 FROM UNNEST(items) AS element_1 WHERE element_1 IS NOT NULL AND element_1.quantity IS NULL), 'items.quantity', NULL),
  IF(EXISTS (SELECT 1 FROM UNNEST(items) AS element_1 WHERE element_1 IS NOT NULL AND element_1.price IS NULL), 'items.price', NULL),
  IF(shipping_address IS NOT NULL AND shipping_address.street IS NULL, 'shipping_address.street', NULL),
  IF(shipping_address IS NOT NULL AND shipping_address.city IS NULL, 'shipping_address.city', NULL),
  IF(shipping_address IS NOT NULL AND shipping_address.country IS NULL, 'shipping_address.country', NULL)
]) AS finding
WHERE finding IS NOT NULL;
