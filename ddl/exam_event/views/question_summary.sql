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

CREATE OR REPLACE VIEW `${project}.${dataset}.question_summary` (
  test_id OPTIONS (description = "The test of the sessions: that of their first event."),
  question_id OPTIONS (description = "The question."),
  total_page_views OPTIONS (description = "Number of page_view events of the question."),
  total_attempts OPTIONS (description = "Number of answer_submit and answer_resubmit events."),
  total_resubmits OPTIONS (description = "Number of answer_resubmit events."),
  correct_answers OPTIONS (description = "Number of correct first submissions (answer_submit events; resubmissions are not among them)."),
  wrong_answers OPTIONS (description = "Number of wrong first submissions (answer_submit events; resubmissions are not among them)."),
  wrong_answer_rate OPTIONS (description = "wrong_answers / total_attempts: wrong first submissions over all attempts; 0 without attempts."),
  first_answer_error_rate OPTIONS (description = "Wrong over graded among the first answers of the sessions, by time; null where none was graded."),
  final_correct_answers OPTIONS (description = "Number of sessions whose last answer, resubmissions included, is correct."),
  final_wrong_answers OPTIONS (description = "Number of sessions whose last answer, resubmissions included, is wrong."),
  late_submissions OPTIONS (description = "Number of submissions after their deadline and grace period."),
  first_seen_ts OPTIONS (description = "client_ts of the first event of the question."),
  last_seen_ts OPTIONS (description = "client_ts of the last event of the question.")
)
OPTIONS (description = "One row per test and question.") AS
SELECT *
FROM `${project}.${dataset}.question_summary_between`(DATE '${earliest_date}', DATE '${latest_date}');
