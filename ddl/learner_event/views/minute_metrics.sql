-- An event lasts until the next one of its session, at most 300 seconds; the last one lasts none.
-- That span is split at the minutes, so that the rows of a session add up to its active time.
CREATE OR REPLACE TABLE FUNCTION `${project}.${dataset}.minute_metrics_between`(first_date DATE, last_date DATE) AS
WITH
  spans AS (
    SELECT
      learner_id,
      session_id,
      event_type,
      event_ts,
      LEAST(COALESCE(next_event_ts, event_ts), TIMESTAMP_ADD(event_ts, INTERVAL 300 SECOND)) AS until_ts,
      TIMESTAMP_TRUNC(event_ts, MINUTE) AS first_minute,
      processed_at
    FROM `${project}.${dataset}.learner_events_with_margin`(first_date, last_date)
  ),
  -- The minute of the event, and up to five more that its span reaches into.
  pieces AS (
    SELECT
      learner_id,
      session_id,
      IF(place = 0, event_type, NULL) AS event_type,
      event_ts,
      until_ts,
      TIMESTAMP_ADD(first_minute, INTERVAL place MINUTE) AS minute_ts,
      processed_at
    FROM spans
    CROSS JOIN UNNEST([0, 1, 2, 3, 4, 5]) AS place
    WHERE place = 0 OR TIMESTAMP_ADD(first_minute, INTERVAL place MINUTE) < until_ts
  )
SELECT
  DATE(minute_ts, 'UTC') AS partition_date,
  learner_id,
  session_id,
  minute_ts,
  COUNT(event_type) AS total_events,
  COUNTIF(event_type = 'page_view') AS page_views,
  COUNTIF(event_type = 'interaction') AS interactions,
  COUNTIF(event_type = 'assessment_start') AS assessments_started,
  COUNTIF(event_type = 'assessment_complete') AS assessments_completed,
  COUNTIF(event_type = 'lesson_start') AS lessons_started,
  COUNTIF(event_type = 'lesson_complete') AS lessons_completed,
  COUNTIF(event_type = 'error') AS errors,
  CAST(
    SUM(
      TIMESTAMP_DIFF(
        LEAST(until_ts, TIMESTAMP_ADD(minute_ts, INTERVAL 1 MINUTE)),
        GREATEST(event_ts, minute_ts),
        MICROSECOND
      )
    ) / 1000000 AS NUMERIC
  ) AS time_spent_seconds,
  MIN(processed_at) AS created_at
FROM pieces
WHERE DATE(minute_ts, 'UTC') BETWEEN first_date AND last_date
GROUP BY learner_id, session_id, minute_ts;

CREATE OR REPLACE VIEW `${project}.${dataset}.minute_metrics` (
  partition_date OPTIONS (description = "UTC date of minute_ts."),
  learner_id OPTIONS (description = "The learner."),
  session_id OPTIONS (description = "The visit of the learner."),
  minute_ts OPTIONS (description = "Start of the minute, UTC."),
  total_events OPTIONS (description = "Number of events in the minute; 0 where only an earlier event lasts into it."),
  page_views OPTIONS (description = "Number of page_view events."),
  interactions OPTIONS (description = "Number of interaction events."),
  assessments_started OPTIONS (description = "Number of assessment_start events."),
  assessments_completed OPTIONS (description = "Number of assessment_complete events."),
  lessons_started OPTIONS (description = "Number of lesson_start events."),
  lessons_completed OPTIONS (description = "Number of lesson_complete events."),
  errors OPTIONS (description = "Number of error events."),
  time_spent_seconds OPTIONS (description = "Active seconds in the minute, 0 to 60: an event lasts until the next one of the session, at most 300 seconds, and the last one lasts none."),
  created_at OPTIONS (description = "When the first of the events behind the row was written.")
)
OPTIONS (description = "One row per learner, session and minute in which an event happened or lasts.") AS
SELECT *
FROM `${project}.${dataset}.minute_metrics_between`(DATE '${earliest_date}', DATE '${latest_date}');
