-- warn: The app's verdict on a submission agrees with its deadline.
--   late, on time  the app's verdict.
SELECT
  IF(client_is_late_submission, 'late', 'on time') AS finding,
  event_id,
  session_id,
  client_ts,
  deadline_ts,
  deadline_source
FROM `${project}.${dataset}.events_between`(@first_date, @last_date)
WHERE deadline_ts IS NOT NULL AND client_is_late_submission != is_late_submission;
