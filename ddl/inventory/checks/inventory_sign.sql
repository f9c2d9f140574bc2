-- warn: The sign of a quantity_change goes with its reason.
--   restock, return  pieces went out; sale, damage  pieces came in. 0 goes with every reason.
SELECT
  reason AS finding,
  event_id,
  product_id,
  warehouse_id,
  quantity_change,
  timestamp
FROM `${project}.${dataset}.inventory_between`(@first_date, @last_date)
WHERE IF(reason IN ('restock', 'return'), quantity_change < 0, quantity_change > 0);
