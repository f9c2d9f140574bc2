-- warn: Nothing lies further apart than the days that the table functions read around their dates.
--   session      its events, first to last;
--   copies       the copies of one event;
--   store_error  the day its session began, and every day on which it was processed;
--   expiry       the day its session began, and an expiry that the operational database has or had.
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
    SELECT event_id, MIN(event_date) AS first_day, MAX(event_date) AS last_day
    FROM `${project}.${dataset}.events_fact`
    WHERE event_date BETWEEN @first_date AND @last_date
    GROUP BY event_id
  ),
  all_store_errors AS (
    SELECT event_id, session_id, failed_date
    FROM `${project}.${dataset}.dead_letters`
    WHERE
      failed_date
      BETWEEN DATE_SUB(@first_date, INTERVAL ${margin_days} DAY)
      AND DATE_ADD(@last_date, INTERVAL ${margin_days} DAY)
      AND error_kind = 'store_error'
  ),
  store_errors AS (
    SELECT
      event_id,
      MIN(session_id) AS session_id,
      MIN(sessions.first_day) AS began,
      MAX(failed_date) AS failed
    FROM all_store_errors
    INNER JOIN sessions USING (session_id)
    GROUP BY event_id
    HAVING MIN(ABS(DATE_DIFF(failed_date, sessions.first_day, DAY))) > ${margin_days}
  ),
  all_expiries AS (
    SELECT session_id, event_date
    FROM `${project}.${dataset}.session_changes_fact`
    WHERE
      event_date
      BETWEEN DATE_SUB(@first_date, INTERVAL ${margin_days} DAY)
      AND DATE_ADD(@last_date, INTERVAL ${margin_days} DAY)
      AND op = 'upsert'
  ),
  expiries AS (
    SELECT session_id, MIN(sessions.first_day) AS began, MAX(event_date) AS expires
    FROM all_expiries
    INNER JOIN sessions USING (session_id)
    WHERE ABS(DATE_DIFF(event_date, sessions.first_day, DAY)) > ${margin_days}
    GROUP BY session_id
  )
SELECT 'session' AS finding, session_id, CAST(NULL AS STRING) AS event_id, first_day, last_day
FROM sessions
WHERE DATE_DIFF(last_day, first_day, DAY) > ${margin_days}
UNION ALL
SELECT 'copies' AS finding, CAST(NULL AS STRING) AS session_id, event_id, first_day, last_day
FROM copies
WHERE DATE_DIFF(last_day, first_day, DAY) > ${margin_days}
UNION ALL
SELECT 'store_error' AS finding, session_id, event_id, began AS first_day, failed AS last_day
FROM store_errors
UNION ALL
SELECT 'expiry' AS finding, session_id, CAST(NULL AS STRING) AS event_id, began AS first_day, expires AS last_day
FROM expiries;
