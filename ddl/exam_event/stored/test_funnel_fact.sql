-- key: test_id
-- level: 2
CREATE TABLE IF NOT EXISTS `${project}.${dataset}.test_funnel_fact` (
  test_id STRING NOT NULL OPTIONS (description = "The test."),
  test_bucket INT64 NOT NULL OPTIONS (description = "ABS(MOD(FARM_FINGERPRINT(test_id), 1000)); the partition."),
  sessions_started INT64 OPTIONS (description = "Sessions with any event."),
  sessions_answered INT64 OPTIONS (description = "Sessions with an answer."),
  total_submissions INT64 OPTIONS (description = "Sessions with a test_submit."),
  completed_submissions INT64 OPTIONS (description = "Of these, those whose completion_status is completed."),
  incomplete_submissions INT64 OPTIONS (description = "Of these, those whose completion_status is incomplete."),
  completion_rate FLOAT64 OPTIONS (description = "completed_submissions / total_submissions; null where there are none."),
  avg_submit_time_seconds FLOAT64 OPTIONS (description = "Mean seconds from the beginning of a session to its last test_submit."),
  created_at TIMESTAMP NOT NULL OPTIONS (description = "When the run that first wrote the row began."),
  updated_at TIMESTAMP NOT NULL OPTIONS (description = "When the run that last changed the row began.")
)
PARTITION BY RANGE_BUCKET(test_bucket, GENERATE_ARRAY(0, 1000, 1))
CLUSTER BY test_id
OPTIONS (
  description = "One row per test: the rows of the view test_funnel_fact_live.",
  labels = [("managed_by", "exam-events"), ("table_type", "stored")]
);

SELECT
  test_id,
  ABS(MOD(FARM_FINGERPRINT(test_id), 1000)) AS test_bucket,
  COUNT(*) AS sessions_started,
  COUNTIF(total_answers_submitted > 0) AS sessions_answered,
  SUM(test_submit_flag) AS total_submissions,
  COUNTIF(completion_status = 'completed') AS completed_submissions,
  COUNTIF(completion_status = 'incomplete') AS incomplete_submissions,
  SAFE_DIVIDE(COUNTIF(completion_status = 'completed'), SUM(test_submit_flag)) AS completion_rate,
  SAFE_DIVIDE(
    SUM(TIMESTAMP_DIFF(last_test_submit_time, began, MICROSECOND)), COUNT(last_test_submit_time)
  ) / 1000000 AS avg_submit_time_seconds
FROM ${sessions_fact}
GROUP BY test_id
