-- warn: An order's total_amount is the sum of quantity x price of its items, give or take 0.01.
--   above  the total is higher than the items: tax or shipping, or an item is missing;
--   below  it is lower: a discount, or a wrong price.
-- BIGNUMERIC, since items at the limit of the contract exceed NUMERIC.
WITH
  orders AS (
    SELECT
      event_id,
      order_id,
      order_date,
      total_amount,
      (SELECT SUM(CAST(item.price AS BIGNUMERIC) * item.quantity) FROM UNNEST(items) AS item) AS items_amount
    FROM `${project}.${dataset}.orders_between`(@first_date, @last_date)
  )
SELECT
  IF(total_amount > items_amount, 'above', 'below') AS finding,
  event_id,
  order_id,
  order_date,
  total_amount,
  items_amount
FROM orders
WHERE ABS(total_amount - items_amount) > BIGNUMERIC '0.01';
