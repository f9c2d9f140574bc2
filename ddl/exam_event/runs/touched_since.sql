-- Sessions whose rows may have changed, and a day of each: its rows came in the window, or share an
-- event with one that did, or what they are judged and described by came in it. Rows of events can
-- have come in the partitions that arrived names only, their copies in those that around does.
SELECT session_id, event_date AS day
FROM `${project}.${dataset}.events_fact`
WHERE ${around} AND event_id IN (
  SELECT event_id
  FROM `${project}.${dataset}.events_fact`
  WHERE ${arrived} AND ingest_ts >= run_start AND ingest_ts < run_end
)
UNION ALL
SELECT session_id, DATE(client_ts, 'UTC') AS day
FROM `${project}.${dataset}.dead_letters`
WHERE error_kind = 'store_error' AND event_id IN (
  SELECT event_id
  FROM `${project}.${dataset}.dead_letters`
  WHERE
    failed_date BETWEEN DATE(run_start, 'UTC') AND DATE(run_end, 'UTC')
    AND error_kind = 'store_error'
    AND failed_at >= run_start AND failed_at < run_end
)
UNION ALL
SELECT session_id, event_date AS day
FROM `${project}.${dataset}.session_changes_fact`
WHERE ingest_ts >= run_start AND ingest_ts < run_end
UNION ALL
SELECT session_id, session_date AS day
FROM `${project}.${dataset}.sessions_fact`
WHERE
  run_settings IS DISTINCT FROM run_settings_before
  OR student_id IN (
    SELECT key
    FROM `${project}.${dataset}.dimension_changes_fact`
    WHERE dimension = 'student' AND ingest_ts >= run_start AND ingest_ts < run_end
  )
  OR test_id IN (
    SELECT key
    FROM `${project}.${dataset}.dimension_changes_fact`
    WHERE dimension = 'test' AND ingest_ts >= run_start AND ingest_ts < run_end
  )
  OR test_id IN (
    SELECT JSON_VALUE(row.test_id)
    FROM `${project}.${dataset}.dimension_changes_fact`
    WHERE dimension = 'question' AND row IS NOT NULL AND key IN (
      SELECT key
      FROM `${project}.${dataset}.dimension_changes_fact`
      WHERE dimension = 'question' AND ingest_ts >= run_start AND ingest_ts < run_end
    )
  )
