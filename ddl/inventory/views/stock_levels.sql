-- The changes of the dates, added up. The stock itself is the sum from the first change ever: as
-- long as partitions expire, it holds for products whose first change is younger than that.
CREATE OR REPLACE TABLE FUNCTION `${project}.${dataset}.stock_levels_between`(first_date DATE, last_date DATE) AS
SELECT
  product_id,
  warehouse_id,
  SUM(quantity_change) AS quantity,
  SUM(quantity_change) < 10 AS is_low,
  MAX(timestamp) AS last_change_ts
FROM `${project}.${dataset}.inventory_between`(first_date, last_date)
GROUP BY product_id, warehouse_id;

CREATE OR REPLACE VIEW `${project}.${dataset}.stock_levels` (
  product_id OPTIONS (description = "The product."),
  warehouse_id OPTIONS (description = "The warehouse."),
  quantity OPTIONS (description = "Pieces in stock: the sum of quantity_change of the events that the fact table still has."),
  is_low OPTIONS (description = "Whether there are fewer than 10 pieces."),
  last_change_ts OPTIONS (description = "Event time of the last change.")
)
OPTIONS (description = "One row per product and warehouse that the fact table has a change of.") AS
SELECT *
FROM `${project}.${dataset}.stock_levels_between`(DATE '${earliest_date}', DATE '${latest_date}');
