CREATE OR REPLACE TABLE FUNCTION `${project}.${dataset}.test_summary_between`(first_date DATE, last_date DATE) AS
SELECT
  test_id,
  COUNT(*) AS sessions,
  COUNTIF(is_complete) AS completed_sessions,
  SUM(test_submit_flag) AS submitted_sessions,
  SUM(total_answers_submitted) AS total_answers,
  SUM(correct_answers) AS correct_answers,
  SUM(wrong_answers) AS wrong_answers,
  SUM(late_submissions) AS late_submissions,
  AVG(duration_seconds) AS mean_duration_seconds
FROM `${project}.${dataset}.session_summary_between`(first_date, last_date)
GROUP BY test_id;

CREATE OR REPLACE VIEW `${project}.${dataset}.test_summary` (
  test_id OPTIONS (description = "The test of the sessions: that of their first event."),
  sessions OPTIONS (description = "Number of sessions, incomplete ones included."),
  completed_sessions OPTIONS (description = "Number of sessions with both a session_start and a session_end."),
  submitted_sessions OPTIONS (description = "Number of sessions in which the test was submitted."),
  total_answers OPTIONS (description = "Number of answer_submit and answer_resubmit events."),
  correct_answers OPTIONS (description = "Number of correct first submissions (answer_submit events; resubmissions are not among them)."),
  wrong_answers OPTIONS (description = "Number of wrong first submissions (answer_submit events; resubmissions are not among them)."),
  late_submissions OPTIONS (description = "Number of submissions after their deadline and grace period."),
  mean_duration_seconds OPTIONS (description = "Mean duration_seconds of the sessions that have a start.")
)
OPTIONS (description = "One row per test.") AS
SELECT *
FROM `${project}.${dataset}.test_summary_between`(DATE '${earliest_date}', DATE '${latest_date}');
