-- Enable date range parameters in the data source; put in your PROJECT.DATASET.

-- Stored
SELECT
  COUNT(DISTINCT event_id) AS events,
  COUNT(DISTINCT message_id) - COUNT(DISTINCT event_id) AS duplicates,
  APPROX_QUANTILES(TIMESTAMP_DIFF(ingest_ts, publish_ts, MILLISECOND) / 1000, 100)[SAFE_OFFSET(50)] AS median_delay,
  APPROX_QUANTILES(TIMESTAMP_DIFF(ingest_ts, publish_ts, MILLISECOND) / 1000, 100)[SAFE_OFFSET(95)] AS slow_delay,
  MAX(ingest_ts) AS newest_row
FROM `PROJECT.DATASET.events_fact`
WHERE event_date BETWEEN PARSE_DATE('%Y%m%d', @DS_START_DATE) AND PARSE_DATE('%Y%m%d', @DS_END_DATE)
LIMIT 1001;

-- Dead letters
SELECT
  COUNT(DISTINCT message_id) AS dead_letters,
  COUNT(DISTINCT IF(replay_count > 0, message_id, NULL)) AS replayed,
  MAX(failed_at) AS newest_failure
FROM `PROJECT.DATASET.dead_letters`
WHERE failed_date BETWEEN PARSE_DATE('%Y%m%d', @DS_START_DATE) AND PARSE_DATE('%Y%m%d', @DS_END_DATE)
LIMIT 1001;

-- Events stored by hour of publishing
SELECT
  TIMESTAMP_TRUNC(publish_ts, HOUR, 'UTC') AS publish_hour,
  COUNT(DISTINCT event_id) AS events,
  COUNT(DISTINCT message_id) - COUNT(DISTINCT event_id) AS duplicates
FROM `PROJECT.DATASET.events_fact`
WHERE event_date BETWEEN PARSE_DATE('%Y%m%d', @DS_START_DATE) AND PARSE_DATE('%Y%m%d', @DS_END_DATE)
GROUP BY 1
ORDER BY publish_hour
LIMIT 1001;

-- Seconds from publishing to the row
SELECT
  TIMESTAMP_TRUNC(publish_ts, HOUR, 'UTC') AS publish_hour,
  APPROX_QUANTILES(TIMESTAMP_DIFF(ingest_ts, publish_ts, MILLISECOND) / 1000, 100)[SAFE_OFFSET(50)] AS median_delay,
  APPROX_QUANTILES(TIMESTAMP_DIFF(ingest_ts, publish_ts, MILLISECOND) / 1000, 100)[SAFE_OFFSET(95)] AS slow_delay
FROM `PROJECT.DATASET.events_fact`
WHERE event_date BETWEEN PARSE_DATE('%Y%m%d', @DS_START_DATE) AND PARSE_DATE('%Y%m%d', @DS_END_DATE)
GROUP BY 1
ORDER BY publish_hour
LIMIT 1001;

-- Dead letters by kind and hour
SELECT
  TIMESTAMP_TRUNC(failed_at, HOUR, 'UTC') AS failed_hour,
  error_kind,
  COUNT(DISTINCT message_id) AS dead_letters
FROM `PROJECT.DATASET.dead_letters`
WHERE failed_date BETWEEN PARSE_DATE('%Y%m%d', @DS_START_DATE) AND PARSE_DATE('%Y%m%d', @DS_END_DATE)
  AND TIMESTAMP_TRUNC(failed_at, HOUR, 'UTC') IS NOT NULL
GROUP BY 1, 2
ORDER BY failed_hour, error_kind
LIMIT 1001;

-- What is wrong with them
SELECT
  error_kind,
  event_family,
  stage,
  error_field,
  COUNT(DISTINCT message_id) AS dead_letters,
  MAX(failed_at) AS newest_failure
FROM `PROJECT.DATASET.dead_letters`
WHERE failed_date BETWEEN PARSE_DATE('%Y%m%d', @DS_START_DATE) AND PARSE_DATE('%Y%m%d', @DS_END_DATE)
GROUP BY 1, 2, 3, 4
ORDER BY dead_letters DESC, error_kind, event_family, stage, error_field
LIMIT 1001;

-- Submissions whose lateness is unknown, by test
SELECT
  test_id,
  COUNTIF(late_status = 'UNKNOWN') AS unknown,
  COUNTIF(late_status = 'UNKNOWN') / COUNT(*) AS unknown_rate,
  COUNT(*) AS submissions
FROM `PROJECT.DATASET.events_between`(PARSE_DATE('%Y%m%d', @DS_START_DATE), PARSE_DATE('%Y%m%d', @DS_END_DATE))
WHERE event_type IN ('answer_submit', 'answer_resubmit', 'test_submit')
GROUP BY 1
ORDER BY unknown DESC, test_id
LIMIT 1001;

-- Events whose copies differ
SELECT
  event_date,
  COUNT(*) AS conflicts,
  SUM(copies) AS copies
FROM `PROJECT.DATASET.event_conflicts_between`(PARSE_DATE('%Y%m%d', @DS_START_DATE), PARSE_DATE('%Y%m%d', @DS_END_DATE))
GROUP BY 1
ORDER BY event_date DESC
LIMIT 1001;

-- How fresh the tables are that runs write
SELECT
  job_name,
  env,
  MAX(IF(status = 'completed', started_at, NULL)) AS last_success,
  ARRAY_AGG(status ORDER BY started_at DESC LIMIT 1)[OFFSET(0)] AS last_status
FROM `PROJECT.DATASET.etl_job_status`
WHERE DATE(started_at) BETWEEN DATE '1960-01-01' AND PARSE_DATE('%Y%m%d', @DS_END_DATE)
GROUP BY 1, 2
ORDER BY job_name, env
LIMIT 1001;

-- Last runs
SELECT
  started_at,
  job_name,
  env,
  status,
  error_message,
  SUM(records_processed) AS records_processed,
  SUM(rows_written) AS rows_written,
  SUM(records_failed) AS records_failed,
  AVG(TIMESTAMP_DIFF(completed_at, started_at, MILLISECOND)) / 1000 AS run_time
FROM `PROJECT.DATASET.etl_job_status`
WHERE DATE(started_at) BETWEEN PARSE_DATE('%Y%m%d', @DS_START_DATE) AND PARSE_DATE('%Y%m%d', @DS_END_DATE)
GROUP BY 1, 2, 3, 4, 5
ORDER BY started_at DESC, job_name, env, status, error_message
LIMIT 1001;
