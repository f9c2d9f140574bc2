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

CREATE OR REPLACE VIEW `${project}.${dataset}.test_summary`
OPTIONS (description = "One row per test.") AS
SELECT *
FROM `${project}.${dataset}.test_summary_between`(DATE '1960-01-01', DATE '2159-12-31');
