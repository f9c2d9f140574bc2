-- Submissions of which the app says otherwise than their deadline does, by what the app says.
SELECT
  client_is_late_submission,
  COUNT(*) AS submissions
FROM `${project}.${dataset}.events`
WHERE deadline_ts IS NOT NULL AND client_is_late_submission != is_late_submission
GROUP BY client_is_late_submission;
