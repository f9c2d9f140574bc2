-- Sessions with an event of a test that has changed: an event is judged by its own test, which may
-- differ from its session's.
SELECT session_id, event_date AS day
FROM `${project}.${dataset}.events_fact`
WHERE test_id IN (
  SELECT key
  FROM `${project}.${dataset}.dimension_changes_fact`
  WHERE dimension = 'test' AND ingest_ts >= run_start AND ingest_ts < run_end
)
