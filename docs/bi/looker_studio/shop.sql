-- Enable date range parameters in the data source; put in your PROJECT.DATASET.

-- At a glance
SELECT
  COUNT(*) AS orders,
  SUM(CAST(total_amount AS BIGNUMERIC)) AS revenue,
  SUM(CAST(total_amount AS BIGNUMERIC)) / COUNT(*) AS mean_order,
  COUNTIF(status = 'delivered') AS delivered_orders,
  COUNT(DISTINCT customer_id) AS customers
FROM `PROJECT.DATASET.orders_current_between`(PARSE_DATE('%Y%m%d', @DS_START_DATE), PARSE_DATE('%Y%m%d', @DS_END_DATE))
LIMIT 1001;

-- Revenue by hour of the order's last step
SELECT
  TIMESTAMP_TRUNC(order_date, HOUR, 'UTC') AS step_hour,
  status,
  SUM(CAST(total_amount AS BIGNUMERIC)) AS revenue,
  COUNT(*) AS orders
FROM `PROJECT.DATASET.orders_current_between`(PARSE_DATE('%Y%m%d', @DS_START_DATE), PARSE_DATE('%Y%m%d', @DS_END_DATE))
WHERE TIMESTAMP_TRUNC(order_date, HOUR, 'UTC') IS NOT NULL
GROUP BY 1, 2
ORDER BY step_hour, status
LIMIT 1001;

-- Orders by status
SELECT
  status,
  COUNT(*) AS orders,
  SUM(CAST(total_amount AS BIGNUMERIC)) AS revenue
FROM `PROJECT.DATASET.orders_current_between`(PARSE_DATE('%Y%m%d', @DS_START_DATE), PARSE_DATE('%Y%m%d', @DS_END_DATE))
GROUP BY 1
ORDER BY orders DESC, status
LIMIT 1001;

-- What users do
SELECT
  activity_type,
  COUNT(*) AS events,
  COUNT(DISTINCT user_id) AS users
FROM `PROJECT.DATASET.user_activity_between`(PARSE_DATE('%Y%m%d', @DS_START_DATE), PARSE_DATE('%Y%m%d', @DS_END_DATE))
GROUP BY 1
ORDER BY events DESC, activity_type
LIMIT 1001;

-- Users by day and step
SELECT
  event_date,
  step,
  activity_type,
  SUM(users) AS user_days,
  SUM(events) AS steps,
  AVG(conversion) AS conversion
FROM `PROJECT.DATASET.user_funnel_between`(PARSE_DATE('%Y%m%d', @DS_START_DATE), PARSE_DATE('%Y%m%d', @DS_END_DATE))
GROUP BY 1, 2, 3
ORDER BY event_date DESC, step
LIMIT 1001;

-- Products below their stock limit
SELECT
  product_id,
  warehouse_id,
  SUM(quantity) AS quantity,
  MAX(last_change_ts) AS last_change
FROM `PROJECT.DATASET.stock_levels_between`(DATE '1960-01-01', PARSE_DATE('%Y%m%d', @DS_END_DATE))
WHERE is_low
GROUP BY 1, 2
ORDER BY quantity, product_id, warehouse_id
LIMIT 1001;

-- Stock changes of the product
-- Needs the parameter product_id, a text.
SELECT
  timestamp AS changed_at,
  warehouse_id,
  reason,
  SUM(quantity_change) AS pieces
FROM `PROJECT.DATASET.inventory_between`(PARSE_DATE('%Y%m%d', @DS_START_DATE), PARSE_DATE('%Y%m%d', @DS_END_DATE))
WHERE product_id = @product_id
GROUP BY 1, 2, 3
ORDER BY changed_at DESC, warehouse_id, reason
LIMIT 1001;
