-- fail: Every session of raw_events is in session_metrics, and lasts as long to within 60 seconds.
-- A session that begins outside of the dates is left out.
WITH
  raw AS (
    SELECT
      learner_id,
      session_id,
      MIN(event_ts) AS session_start,
      TIMESTAMP_DIFF(MAX(event_ts), MIN(event_ts), MICROSECOND) / 1000000 AS raw_seconds
    FROM `${project}.${dataset}.learner_events_with_margin`(@first_date, @last_date)
    GROUP BY learner_id, session_id
    HAVING DATE(MIN(event_ts), 'UTC') BETWEEN @first_date AND @last_date
  ),
  stored AS (
    SELECT learner_id, session_id, duration_seconds
    FROM `${project}.${dataset}.session_metrics_between`(@first_date, @last_date)
  ),
  compared AS (
    SELECT
      session_id,
      learner_id,
      raw_seconds,
      duration_seconds,
      CASE
        WHEN raw_seconds IS NULL THEN 'unknown session'
        WHEN duration_seconds IS NULL THEN 'missing session'
        WHEN ABS(raw_seconds - duration_seconds) > 60 THEN 'duration'
      END AS finding
    FROM raw
    FULL JOIN stored USING (learner_id, session_id)
  )
SELECT finding, learner_id, session_id, raw_seconds, duration_seconds
FROM compared
WHERE finding IS NOT NULL;
