-- key: session_date, test_id, question_id
-- level: 2
CREATE TABLE IF NOT EXISTS `${project}.${dataset}.question_summary_daily` (
  session_date DATE NOT NULL OPTIONS (description = "UTC date of the session's first event; the partition."),
  test_id STRING NOT NULL OPTIONS (description = "The test of the sessions."),
  question_id STRING NOT NULL OPTIONS (description = "The question."),
  total_page_views INT64 OPTIONS (description = "Number of page_view events of the question."),
  total_attempts INT64 OPTIONS (description = "Number of answer_submit and answer_resubmit events."),
  total_resubmits INT64 OPTIONS (description = "Number of answer_resubmit events."),
  correct_answers INT64 OPTIONS (description = "Number of correct first submissions, as the app graded."),
  wrong_answers INT64 OPTIONS (description = "Number of wrong first submissions, as the app graded."),
  wrong_answer_rate FLOAT64 OPTIONS (description = "wrong_answers / total_attempts; 0 without attempts."),
  first_answer_error_rate FLOAT64 OPTIONS (description = "Wrong over graded among the first answers of the sessions; null where none was graded."),
  final_correct_answers INT64 OPTIONS (description = "Number of sessions whose last answer is correct, as the app graded."),
  final_wrong_answers INT64 OPTIONS (description = "Number of sessions whose last answer is wrong, as the app graded."),
  late_submissions INT64 OPTIONS (description = "Number of submissions after their deadline and grace period."),
  first_seen_ts TIMESTAMP OPTIONS (description = "client_ts of the first event with the question."),
  last_seen_ts TIMESTAMP OPTIONS (description = "client_ts of the last event with the question."),
  created_at TIMESTAMP NOT NULL OPTIONS (description = "When the run that first wrote the row began."),
  updated_at TIMESTAMP NOT NULL OPTIONS (description = "When the run that last changed the row began.")
)
PARTITION BY session_date
CLUSTER BY test_id, question_id
OPTIONS (
  description = "question_summary by day, without students: the rows of the view question_summary_daily_live.",
  labels = [("managed_by", "exam-events"), ("table_type", "stored")]
);

SELECT
  session_date,
  test_id,
  question_id,
  SUM(page_views) AS total_page_views,
  SUM(answer_count) AS total_attempts,
  SUM(resubmits) AS total_resubmits,
  SUM(correct_submits) AS correct_answers,
  SUM(wrong_submits) AS wrong_answers,
  COALESCE(SAFE_DIVIDE(SUM(wrong_submits), SUM(answer_count)), 0) AS wrong_answer_rate,
  SAFE_DIVIDE(
    COUNTIF(NOT app_first_is_correct), COUNTIF(app_first_is_correct IS NOT NULL)
  ) AS first_answer_error_rate,
  COUNTIF(app_final_is_correct) AS final_correct_answers,
  COUNTIF(NOT app_final_is_correct) AS final_wrong_answers,
  SUM(late_submissions) AS late_submissions,
  MIN(first_seen) AS first_seen_ts,
  MAX(last_seen) AS last_seen_ts
FROM ${session_questions_fact}
GROUP BY session_date, test_id, question_id
