-- The start record of each of the sessions: its earliest session_start (DESIGN 5.1). Partitions from
-- first_date to last_date are read. The tests are the sessions' own, one each: they are named since
-- the table is clustered by test_id before session_id.
SELECT
  session_id,
  client_ts,
  event_id,
  COALESCE(session_start_ts, client_ts) AS start_ts,
  session_duration_seconds AS duration_seconds,
  session_expiry_ts AS expiry_ts
FROM `${project}.${dataset}.${table}`
WHERE
  event_date BETWEEN @first_date AND @last_date
  AND test_id IN UNNEST(@tests)
  AND session_id IN UNNEST(@sessions)
  AND event_type = 'session_start'
QUALIFY ROW_NUMBER() OVER (PARTITION BY session_id ORDER BY client_ts, event_id) = 1
