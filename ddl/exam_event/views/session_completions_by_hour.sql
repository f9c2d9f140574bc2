CREATE OR REPLACE TABLE FUNCTION `${project}.${dataset}.session_completions_by_hour_between`(first_date DATE, last_date DATE) AS
SELECT
  TIMESTAMP_TRUNC(session_end_time, HOUR, 'UTC') AS hour,
  COUNT(*) AS session_completions
FROM `${project}.${dataset}.session_summary_between`(first_date, last_date)
WHERE session_end_time IS NOT NULL
GROUP BY hour;

CREATE OR REPLACE VIEW `${project}.${dataset}.session_completions_by_hour`
OPTIONS (description = "Sessions by the UTC hour of session_end_time.") AS
SELECT *
FROM `${project}.${dataset}.session_completions_by_hour_between`(DATE '1960-01-01', DATE '2159-12-31');
