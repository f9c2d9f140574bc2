-- warn: Nothing lies further apart than the eight days that the table functions look around.
--   session      its events, first to last;
--   copies       the copies of one event;
--   store_error  the day its session began, and every day on which it was processed.
-- Only what lies within the dates asked for can be seen: ask for many.
WITH
  sessions AS (
    SELECT
      session_id,
      MIN(DATE(client_ts, 'UTC')) AS first_day,
      MAX(DATE(client_ts, 'UTC')) AS last_day
    FROM `${project}.${dataset}.session_events_between`(@first_date, @last_date)
    GROUP BY session_id
  ),
  copies AS (
    SELECT event_id
    FROM `${project}.${dataset}.events_fact`
    WHERE event_date BETWEEN @first_date AND @last_date
    GROUP BY event_id
    HAVING DATE_DIFF(MAX(event_date), MIN(event_date), DAY) > 8
  ),
  all_store_errors AS (
    SELECT event_id, session_id, failed_date
    FROM `${project}.${dataset}.dead_letters`
    WHERE
      failed_date BETWEEN DATE_SUB(@first_date, INTERVAL 8 DAY) AND DATE_ADD(@last_date, INTERVAL 8 DAY)
      AND error_kind = 'store_error'
  ),
  store_errors AS (
    SELECT event_id
    FROM all_store_errors
    INNER JOIN sessions USING (session_id)
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
