-- warn: Every session has a session_start.
SELECT
  IF(session_end_time IS NULL, 'without an end, too', 'with an end') AS finding,
  session_id,
  test_id,
  effective_session_end_time
FROM `${project}.${dataset}.session_summary_between`(@first_date, @last_date)
WHERE session_start_time IS NULL;
