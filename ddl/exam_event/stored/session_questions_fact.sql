-- key: session_id, question_id
-- touched: session_id
-- level: 1
CREATE TABLE IF NOT EXISTS `${project}.${dataset}.session_questions_fact` (
  session_id STRING NOT NULL OPTIONS (description = "One sitting of one student at one test."),
  question_id STRING NOT NULL OPTIONS (description = "The question."),
  session_date DATE NOT NULL OPTIONS (description = "UTC date of the session's first event; the partition."),
  test_id STRING NOT NULL OPTIONS (description = "The test of the session: that of its first event."),
  student_id STRING NOT NULL OPTIONS (description = "The student of the session: that of its first event."),
  school_id STRING OPTIONS (description = "The student's school when the session began; null where it is not known."),
  first_seen TIMESTAMP NOT NULL OPTIONS (description = "client_ts of the first event with the question."),
  last_seen TIMESTAMP NOT NULL OPTIONS (description = "client_ts of the last event with the question."),
  first_answer_time TIMESTAMP OPTIONS (description = "client_ts of the first answer."),
  last_answer_time TIMESTAMP OPTIONS (description = "client_ts of the last answer."),
  answer_count INT64 OPTIONS (description = "Number of answer_submit and answer_resubmit events."),
  resubmits INT64 OPTIONS (description = "Number of answer_resubmit events."),
  page_views INT64 OPTIONS (description = "Number of page_view events."),
  late_submissions INT64 OPTIONS (description = "Number of submissions after their deadline and grace period."),
  correct_submits INT64 OPTIONS (description = "Number of answer_submit events that are correct, as the app graded."),
  wrong_submits INT64 OPTIONS (description = "Number of answer_submit events that are wrong, as the app graded."),
  app_first_is_correct BOOL OPTIONS (description = "Whether the first answer is correct, as the app graded; null where it did not."),
  app_final_is_correct BOOL OPTIONS (description = "Whether the last answer is correct, as the app graded; null where it did not."),
  first_is_correct BOOL OPTIONS (description = "Whether the first answer is the option that questions_dim has as correct today; as the app graded where that is not known."),
  final_is_correct BOOL OPTIONS (description = "The same for the last answer."),
  first_graded_event_id STRING OPTIONS (description = "event_id of the first answer that is graded, by the key or by the app."),
  final_answer_option STRING OPTIONS (description = "The last answer as given."),
  created_at TIMESTAMP NOT NULL OPTIONS (description = "When the run that first wrote the row began."),
  updated_at TIMESTAMP NOT NULL OPTIONS (description = "When the run that last changed the row began.")
)
PARTITION BY session_date
CLUSTER BY test_id, question_id
OPTIONS (
  description = "One row per session and question that an event names, store errors aside: the rows of the view session_questions_fact_live.",
  labels = [("managed_by", "exam-events"), ("table_type", "stored")]
);

WITH
  answer_keys AS (
    SELECT test_id, question_id, correct_option
    FROM `${project}.${dataset}.questions_dim`
    WHERE TRUE
    QUALIFY ROW_NUMBER() OVER (
      PARTITION BY test_id, question_id ORDER BY version_ts DESC, correct_option
    ) = 1
  ),
  graded AS (
    SELECT
      event.* EXCEPT (test_id, student_id, session_date),
      session.session_date,
      session.test_id,
      session.student_id,
      session.school_id,
      COALESCE(event.answer = answer_keys.correct_option, event.is_correct_answer) AS is_correct
    FROM ${session_events} AS event
    INNER JOIN ${sessions_fact} AS session ON session.session_id = event.session_id
    LEFT JOIN answer_keys
      ON answer_keys.test_id = session.test_id AND answer_keys.question_id = event.question_id
    WHERE event.question_id IS NOT NULL AND event.event_type != 'store_error'
  ),
  numbered AS (
    SELECT
      *,
      MIN(IF(is_correct IS NULL, NULL, answer_number)) OVER (
        PARTITION BY session_id, question_id
      ) AS first_graded_number
    FROM graded
  )
SELECT
  session_id,
  question_id,
  ANY_VALUE(session_date) AS session_date,
  ANY_VALUE(test_id) AS test_id,
  ANY_VALUE(student_id) AS student_id,
  ANY_VALUE(school_id) AS school_id,
  MIN(client_ts) AS first_seen,
  MAX(client_ts) AS last_seen,
  MIN(IF(is_answer, client_ts, NULL)) AS first_answer_time,
  MAX(IF(is_answer, client_ts, NULL)) AS last_answer_time,
  COUNTIF(is_answer) AS answer_count,
  COUNTIF(event_type = 'answer_resubmit') AS resubmits,
  COUNTIF(event_type = 'page_view') AS page_views,
  COUNTIF(is_late_submission) AS late_submissions,
  COUNTIF(event_type = 'answer_submit' AND is_correct_answer) AS correct_submits,
  COUNTIF(event_type = 'answer_submit' AND NOT is_correct_answer) AS wrong_submits,
  LOGICAL_OR(IF(is_first_answer, is_correct_answer, NULL)) AS app_first_is_correct,
  LOGICAL_OR(IF(is_last_answer, is_correct_answer, NULL)) AS app_final_is_correct,
  LOGICAL_OR(IF(is_first_answer, is_correct, NULL)) AS first_is_correct,
  LOGICAL_OR(IF(is_last_answer, is_correct, NULL)) AS final_is_correct,
  MAX(IF(answer_number = first_graded_number, event_id, NULL)) AS first_graded_event_id,
  MAX(IF(is_last_answer, answer, NULL)) AS final_answer_option
FROM numbered
GROUP BY session_id, question_id
