-- key: student_id, test_id
-- touched: test_id
-- level: 2
CREATE TABLE IF NOT EXISTS `${project}.${dataset}.test_summary_fact` (
  student_id STRING NOT NULL OPTIONS (description = "The student."),
  test_id STRING NOT NULL OPTIONS (description = "The test."),
  test_bucket INT64 NOT NULL OPTIONS (description = "ABS(MOD(FARM_FINGERPRINT(test_id), 1000)); the partition."),
  school_id STRING OPTIONS (description = "The student's school in the latest session."),
  total_questions INT64 OPTIONS (description = "Questions of the test in questions_dim that are not deleted; where it has none, those that anyone answered."),
  questions_attempted INT64 OPTIONS (description = "Questions that the student answered."),
  correct_answers INT64 OPTIONS (description = "Questions whose final answer is correct."),
  accuracy_percent FLOAT64 OPTIONS (description = "100 x correct_answers / questions_attempted; 0 where none was attempted."),
  score_percent FLOAT64 OPTIONS (description = "100 x correct_answers / total_questions; 0 where there are none."),
  time_spent_seconds FLOAT64 OPTIONS (description = "Seconds from first to last event, summed over the sessions."),
  late_submissions INT64 OPTIONS (description = "Number of submissions after their deadline and grace period."),
  created_at TIMESTAMP NOT NULL OPTIONS (description = "When the run that first wrote the row began."),
  updated_at TIMESTAMP NOT NULL OPTIONS (description = "When the run that last changed the row began.")
)
PARTITION BY RANGE_BUCKET(test_bucket, GENERATE_ARRAY(0, 1000, 1))
CLUSTER BY test_id, student_id
OPTIONS (
  description = "One row per student and test: the rows of the view test_summary_fact_live.",
  labels = [("managed_by", "exam-events"), ("table_type", "stored")]
);

WITH
  sessions AS (
    SELECT
      student_id,
      test_id,
      ARRAY_AGG(STRUCT(school_id) ORDER BY began DESC, session_id DESC LIMIT 1)[OFFSET(0)].school_id AS school_id,
      SUM(TIMESTAMP_DIFF(last_event_time, first_event_time, MICROSECOND)) / 1000000 AS time_spent_seconds,
      SUM(late_submissions) AS late_submissions
    FROM ${sessions_fact}
    GROUP BY student_id, test_id
  ),
  answered AS (
    SELECT
      student_id,
      test_id,
      COUNT(*) AS questions_attempted,
      COUNTIF(is_correct) AS correct_answers
    FROM ${question_interaction_fact}
    GROUP BY student_id, test_id
  ),
  answered_by_anyone AS (
    SELECT test_id, COUNT(DISTINCT question_id) AS questions
    FROM ${question_interaction_fact}
    GROUP BY test_id
  ),
  of_the_test AS (
    SELECT test_id, COUNT(DISTINCT question_id) AS questions
    FROM `${project}.${dataset}.questions_dim`
    WHERE NOT is_deleted
    GROUP BY test_id
  ),
  counted AS (
    SELECT
      sessions.*,
      COALESCE(of_the_test.questions, answered_by_anyone.questions, 0) AS total_questions,
      COALESCE(answered.questions_attempted, 0) AS questions_attempted,
      COALESCE(answered.correct_answers, 0) AS correct_answers
    FROM sessions
    LEFT JOIN answered
      ON answered.student_id = sessions.student_id AND answered.test_id = sessions.test_id
    LEFT JOIN answered_by_anyone ON answered_by_anyone.test_id = sessions.test_id
    LEFT JOIN of_the_test ON of_the_test.test_id = sessions.test_id
  )
SELECT
  student_id,
  test_id,
  ABS(MOD(FARM_FINGERPRINT(test_id), 1000)) AS test_bucket,
  school_id,
  total_questions,
  questions_attempted,
  correct_answers,
  COALESCE(SAFE_DIVIDE(100 * correct_answers, questions_attempted), 0) AS accuracy_percent,
  COALESCE(SAFE_DIVIDE(100 * correct_answers, total_questions), 0) AS score_percent,
  time_spent_seconds,
  late_submissions
FROM counted
