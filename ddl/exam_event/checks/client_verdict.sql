-- warn: The app's verdict on a submission is that of its deadline.
--   late, on time  what the app says.
SELECT
  IF(client_is_late_submission, 'late', 'on time') AS what,
  COUNT(*) AS found
FROM `${project}.${dataset}.events_between`(@first_date, @last_date)
WHERE deadline_ts IS NOT NULL AND client_is_late_submission != is_late_submission
GROUP BY what;
