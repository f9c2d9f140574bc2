-- warn: The pipeline judged every submission as the warehouse does now.
--   client            the app's own verdict stood in, and now there is a deadline;
--   later_start       the session's start record came after the submission;
--   settings_changed  neither: it came before, and the constants of the rule are others now.
SELECT
  CASE
    WHEN deadline_source = 'client' AND now.deadline_ts IS NOT NULL THEN 'client'
    WHEN start_ingest_ts > ingest_ts THEN 'later_start'
    ELSE 'settings_changed'
  END AS what,
  COUNT(*) AS found
FROM `${project}.${dataset}.judged_events_around`(@first_date, @last_date)
WHERE event_date BETWEEN @first_date AND @last_date AND late_status != now.late_status
GROUP BY what;
