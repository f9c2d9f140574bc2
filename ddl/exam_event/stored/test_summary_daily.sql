-- key: session_date, test_id
-- level: 2
CREATE TABLE IF NOT EXISTS `${project}.${dataset}.test_summary_daily` (
  session_date DATE NOT NULL OPTIONS (description = "UTC date of the session's first event; the partition."),
  test_id STRING NOT NULL OPTIONS (description = "The test of the sessions."),
  sessions INT64 OPTIONS (description = "Number of sessions, incomplete ones included."),
  completed_sessions INT64 OPTIONS (description = "Number of sessions with both a session_start and a session_end."),
  submitted_sessions INT64 OPTIONS (description = "Number of sessions in which the test was submitted."),
  total_answers INT64 OPTIONS (description = "Number of answer_submit and answer_resubmit events."),
  correct_answers INT64 OPTIONS (description = "Number of correct first submissions, as the app graded."),
  wrong_answers INT64 OPTIONS (description = "Number of wrong first submissions, as the app graded."),
  late_submissions INT64 OPTIONS (description = "Number of submissions after their deadline and grace period."),
  mean_duration_seconds FLOAT64 OPTIONS (description = "Mean duration_seconds of the sessions that have a start."),
  created_at TIMESTAMP NOT NULL OPTIONS (description = "When the run that first wrote the row began."),
  updated_at TIMESTAMP NOT NULL OPTIONS (description = "When the run that last changed the row began.")
)
PARTITION BY session_date
CLUSTER BY test_id
OPTIONS (
  description = "test_summary by day, without students: the rows of the view test_summary_daily_live.",
  labels = [("managed_by", "exam-events"), ("table_type", "stored")]
);

SELECT
  session_date,
  test_id,
  COUNT(*) AS sessions,
  COUNTIF(is_complete) AS completed_sessions,
  SUM(test_submit_flag) AS submitted_sessions,
  SUM(total_answers_submitted) AS total_answers,
  SUM(correct_answers) AS correct_answers,
  SUM(wrong_answers) AS wrong_answers,
  SUM(late_submissions) AS late_submissions,
  SAFE_DIVIDE(
    SUM(
      IF(
        effective_session_end_time < session_start_time,
        0,
        TIMESTAMP_DIFF(effective_session_end_time, session_start_time, MICROSECOND)
      )
    ),
    COUNT(session_start_time)
  ) / 1000000 AS mean_duration_seconds
FROM ${sessions_fact}
GROUP BY session_date, test_id
