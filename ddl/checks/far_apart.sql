-- What lies further apart than the eight days that the table functions look around, so that they
-- can differ from the views:
--   session      its events, first to last;
--   copies       the copies of one event;
--   store_error  the day its session began, and every day on which it was processed.
WITH
  sessions AS (
    SELECT
      session_id,
      MIN(DATE(client_ts, 'UTC')) AS first_day,
      MAX(DATE(client_ts, 'UTC')) AS last_day
    FROM `${project}.${dataset}.session_events_between`(DATE '1960-01-01', DATE '2159-12-31')
    GROUP BY session_id
  ),
  copies AS (
    SELECT event_id
    FROM `${project}.${dataset}.events_fact`
    GROUP BY event_id
    HAVING DATE_DIFF(MAX(event_date), MIN(event_date), DAY) > 8
  ),
  store_errors AS (
    SELECT event_id
    FROM `${project}.${dataset}.dead_letters`
    INNER JOIN sessions USING (session_id)
    WHERE error_kind = 'store_error'
    GROUP BY event_id
    HAVING MIN(ABS(DATE_DIFF(failed_date, first_day, DAY))) > 8
  ),
  findings AS (
    SELECT 'session' AS what FROM sessions WHERE DATE_DIFF(last_day, first_day, DAY) > 8
    UNION ALL
    SELECT 'copies' AS what FROM copies
    UNION ALL
    SELECT 'store_error' AS what FROM store_errors
  )
SELECT what, COUNT(*) AS found
FROM findings
GROUP BY what;
