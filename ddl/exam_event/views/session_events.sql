-- Every event, store errors included, of the sessions whose first event falls on the dates. What
-- the summaries share is decided here: which events count, whose session it is, and which answer
-- is a question's first and last. test_id and student_id are those of the session's first event.
CREATE OR REPLACE TABLE FUNCTION `${project}.${dataset}.session_events_between`(first_date DATE, last_date DATE) AS
WITH
  facts AS (
    SELECT
      session_id,
      test_id,
      student_id,
      event_id,
      event_type,
      client_ts,
      publish_ts,
      question_id,
      attempt_no,
      answer,
      is_correct_answer,
      is_late_submission,
      completion_status,
      ingest_ts
    FROM `${project}.${dataset}.events_with_margin`(first_date, last_date)
  ),
  store_errors AS (
    SELECT
      session_id,
      test_id,
      student_id,
      event_id,
      error_kind AS event_type,
      client_ts,
      publish_time AS publish_ts,
      question_id,
      CAST(NULL AS INT64) AS attempt_no,
      CAST(NULL AS STRING) AS answer,
      CAST(NULL AS BOOL) AS is_correct_answer,
      CAST(NULL AS BOOL) AS is_late_submission,
      CAST(NULL AS STRING) AS completion_status,
      failed_at AS ingest_ts
    FROM `${project}.${dataset}.dead_letters`
    WHERE
      failed_date BETWEEN DATE_SUB(first_date, INTERVAL ${margin_days} DAY) AND DATE_ADD(last_date, INTERVAL ${margin_days} DAY)
      AND error_kind = 'store_error'
    QUALIFY ROW_NUMBER() OVER (PARTITION BY event_id ORDER BY publish_time, message_id, failed_at) = 1
  ),
  all_events AS (
    SELECT *, event_type IN ('answer_submit', 'answer_resubmit') AS is_answer
    FROM (SELECT * FROM facts UNION ALL SELECT * FROM store_errors)
  )
SELECT
  session_id,
  FIRST_VALUE(test_id) OVER session AS test_id,
  FIRST_VALUE(student_id) OVER session AS student_id,
  DATE(FIRST_VALUE(client_ts) OVER session, 'UTC') AS session_date,
  event_id,
  event_type,
  client_ts,
  question_id,
  answer,
  is_correct_answer,
  is_late_submission,
  completion_status,
  ingest_ts,
  is_answer,
  IF(is_answer, ROW_NUMBER() OVER answers, NULL) AS answer_number,
  is_answer AND ROW_NUMBER() OVER answers = 1 AS is_first_answer,
  is_answer AND LEAD(event_id) OVER answers IS NULL AS is_last_answer,
  event_type = 'test_submit'
    AND ROW_NUMBER() OVER (
      PARTITION BY session_id, event_type ORDER BY client_ts DESC, publish_ts DESC, event_id DESC
    ) = 1 AS is_last_test_submit
FROM all_events
WHERE TRUE
QUALIFY DATE(FIRST_VALUE(client_ts) OVER session, 'UTC') BETWEEN first_date AND last_date
WINDOW
  session AS (PARTITION BY session_id ORDER BY client_ts, publish_ts, event_id, event_type),
  answers AS (
    PARTITION BY session_id, question_id, is_answer
    ORDER BY client_ts, attempt_no NULLS FIRST, publish_ts, event_id
  );
