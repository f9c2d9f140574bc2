-- key: student_id, test_id, question_id
-- level: 2
CREATE TABLE IF NOT EXISTS `${project}.${dataset}.question_interaction_fact` (
  student_id STRING NOT NULL OPTIONS (description = "The student."),
  test_id STRING NOT NULL OPTIONS (description = "The test."),
  question_id STRING NOT NULL OPTIONS (description = "The question."),
  test_bucket INT64 NOT NULL OPTIONS (description = "ABS(MOD(FARM_FINGERPRINT(test_id), 1000)); the partition."),
  school_id STRING OPTIONS (description = "The student's school in the session of the final answer."),
  first_answer_time TIMESTAMP NOT NULL OPTIONS (description = "client_ts of the first answer over all sessions."),
  last_answer_time TIMESTAMP NOT NULL OPTIONS (description = "client_ts of the final answer: the last over all sessions, ties by session_id."),
  answer_count INT64 OPTIONS (description = "Number of answers over all sessions."),
  final_answer_option STRING OPTIONS (description = "The final answer as given."),
  is_correct BOOL OPTIONS (description = "Whether the final answer is correct; null where nothing graded it."),
  revisited BOOL OPTIONS (description = "Whether there is more than one answer."),
  time_spent_seconds FLOAT64 OPTIONS (description = "Seconds from the first to the final answer."),
  created_at TIMESTAMP NOT NULL OPTIONS (description = "When the run that first wrote the row began."),
  updated_at TIMESTAMP NOT NULL OPTIONS (description = "When the run that last changed the row began.")
)
PARTITION BY RANGE_BUCKET(test_bucket, GENERATE_ARRAY(0, 1000, 1))
CLUSTER BY test_id, student_id
OPTIONS (
  description = "One row per student, test and question that the student answered: the rows of the view question_interaction_fact_live.",
  labels = [("managed_by", "exam-events"), ("table_type", "stored")]
);

WITH
  ranked AS (
    SELECT
      *,
      ROW_NUMBER() OVER (
        PARTITION BY student_id, test_id, question_id ORDER BY last_answer_time DESC, session_id DESC
      ) = 1 AS is_final
    FROM ${session_questions_fact}
    WHERE answer_count > 0
  )
SELECT
  student_id,
  test_id,
  question_id,
  ABS(MOD(FARM_FINGERPRINT(test_id), 1000)) AS test_bucket,
  MAX(IF(is_final, school_id, NULL)) AS school_id,
  MIN(first_answer_time) AS first_answer_time,
  MAX(last_answer_time) AS last_answer_time,
  SUM(answer_count) AS answer_count,
  MAX(IF(is_final, final_answer_option, NULL)) AS final_answer_option,
  LOGICAL_OR(IF(is_final, final_is_correct, NULL)) AS is_correct,
  SUM(answer_count) > 1 AS revisited,
  TIMESTAMP_DIFF(MAX(last_answer_time), MIN(first_answer_time), MICROSECOND) / 1000000 AS time_spent_seconds
FROM ranked
GROUP BY student_id, test_id, question_id
