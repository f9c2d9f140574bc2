CREATE OR REPLACE TABLE FUNCTION `${project}.${dataset}.session_starts_by_hour_between`(first_date DATE, last_date DATE) AS
SELECT
  TIMESTAMP_TRUNC(session_start_time, HOUR, 'UTC') AS hour,
  COUNT(*) AS session_starts
FROM `${project}.${dataset}.session_summary_between`(first_date, last_date)
WHERE session_start_time IS NOT NULL
GROUP BY hour;

CREATE OR REPLACE VIEW `${project}.${dataset}.session_starts_by_hour` (
  hour OPTIONS (description = "UTC hour of session_start_time."),
  session_starts OPTIONS (description = "Number of sessions that started in the hour.")
)
OPTIONS (description = "Sessions by the UTC hour of session_start_time.") AS
SELECT *
FROM `${project}.${dataset}.session_starts_by_hour_between`(DATE '${earliest_date}', DATE '${latest_date}');
