-- warn: The pipeline's lateness of every submission is what the warehouse computes today.
--   extended          the operational database has an expiry of the session by now;
--   client            the app's own verdict stood in, and by now there is a deadline;
--   later_start       the session's start record came after the submission;
--   settings_changed  none of these: it came before, and the constants of the rule have changed since.
SELECT
  CASE
    WHEN recomputed.deadline_source = 'database' THEN 'extended'
    WHEN deadline_source = 'client' AND recomputed.deadline_ts IS NOT NULL THEN 'client'
    WHEN start_ingest_ts > ingest_ts THEN 'later_start'
    ELSE 'settings_changed'
  END AS finding,
  event_id,
  session_id,
  client_ts,
  late_status,
  recomputed.late_status AS recomputed_late_status
FROM `${project}.${dataset}.judged_events_with_margin`(@first_date, @last_date)
WHERE
  event_date BETWEEN @first_date AND @last_date
  AND late_status != recomputed.late_status;
