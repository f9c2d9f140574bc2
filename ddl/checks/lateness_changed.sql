-- Submissions that the pipeline judged otherwise than the warehouse does now, and why:
--   client            the app's own verdict stood in, and now there is a deadline;
--   later_start       the session's start record came after the submission;
--   settings_changed  neither: it came before, and the constants of the rule are others now.
SELECT
  CASE
    WHEN deadline_source = 'client' AND now.deadline_ts IS NOT NULL THEN 'client'
    WHEN start_ingest_ts > ingest_ts THEN 'later_start'
    ELSE 'settings_changed'
  END AS reason,
  COUNT(*) AS submissions
FROM `${project}.${dataset}.judged_events_around`(DATE '1960-01-01', DATE '2159-12-31')
WHERE late_status != now.late_status
GROUP BY reason;
