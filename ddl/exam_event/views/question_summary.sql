CREATE OR REPLACE TABLE FUNCTION `${project}.${dataset}.question_summary_between`(first_date DATE, last_date DATE) AS
SELECT
  test_id,
  question_id,
  COUNTIF(event_type = 'page_view') AS total_page_views,
  COUNTIF(is_answer) AS total_attempts,
  COUNTIF(event_type = 'answer_resubmit') AS total_resubmits,
  COUNTIF(event_type = 'answer_submit' AND is_correct_answer) AS correct_answers,
  COUNTIF(event_type = 'answer_submit' AND NOT is_correct_answer) AS wrong_answers,
  COALESCE(
    SAFE_DIVIDE(COUNTIF(event_type = 'answer_submit' AND NOT is_correct_answer), COUNTIF(is_answer)), 0
  ) AS wrong_answer_rate,
  SAFE_DIVIDE(
    COUNTIF(is_first_answer AND NOT is_correct_answer),
    COUNTIF(is_first_answer AND is_correct_answer IS NOT NULL)
  ) AS first_answer_error_rate,
  COUNTIF(is_last_answer AND is_correct_answer) AS final_correct_answers,
  COUNTIF(is_last_answer AND NOT is_correct_answer) AS final_wrong_answers,
  COUNTIF(is_late_submission) AS late_submissions,
  MIN(client_ts) AS first_seen_ts,
  MAX(client_ts) AS last_seen_ts
FROM `${project}.${dataset}.session_events_between`(first_date, last_date)
WHERE question_id IS NOT NULL AND event_type != 'store_error'
GROUP BY test_id, question_id;

CREATE OR REPLACE VIEW `${project}.${dataset}.question_summary`
OPTIONS (description = "One row per test and question.") AS
SELECT *
FROM `${project}.${dataset}.question_summary_between`(DATE '1960-01-01', DATE '2159-12-31');
