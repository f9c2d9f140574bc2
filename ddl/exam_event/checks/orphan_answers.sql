-- warn: Every answer belongs to a session with a session_start.
SELECT 'answer' AS finding, session_id, event_id, question_id, client_ts
FROM (
  SELECT
    *,
    MIN(IF(event_type = 'session_start', client_ts, NULL)) OVER (PARTITION BY session_id) AS start_time
  FROM `${project}.${dataset}.session_events_between`(@first_date, @last_date)
)
WHERE is_answer AND start_time IS NULL;
