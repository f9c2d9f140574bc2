CREATE OR REPLACE TABLE FUNCTION `${project}.${dataset}.session_completions_by_hour_between`(first_date DATE, last_date DATE) AS
SELECT
  TIMESTAMP_TRUNC(session_end_time, HOUR, 'UTC') AS hour,
  COUNT(*) AS session_completions
FROM `${project}.${dataset}.session_summary_between`(first_date, last_date)
WHERE session_end_time IS NOT NULL
GROUP BY hour;

CREATE OR REPLACE VIEW `${project}.${dataset}.session_completions_by_hour` (
  hour OPTIONS (description = "UTC hour of session_end_time."),
  session_completions OPTIONS (description = "Number of sessions that ended in the hour, with or without a start.")
)
OPTIONS (description = "Sessions by the UTC hour of session_end_time.") AS
SELECT *
FROM `${project}.${dataset}.session_completions_by_hour_between`(DATE '${earliest_date}', DATE '${latest_date}');
