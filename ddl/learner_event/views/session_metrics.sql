-- A session belongs to the date of its first event. is_active is the only column that depends on
-- when it is read: a stored table leaves it out, and its view computes it from is_ended.
CREATE OR REPLACE TABLE FUNCTION `${project}.${dataset}.session_metrics_between`(first_date DATE, last_date DATE) AS
WITH
  events AS (
    SELECT
      *,
      IF(event_type IN ('lesson_start', 'lesson_complete'), JSON_VALUE(data.lesson_id), NULL) AS lesson_id,
      IF(event_type IN ('assessment_start', 'assessment_complete'), JSON_VALUE(data.assessment_id), NULL) AS assessment_id,
      IF(event_type = 'assessment_complete', CAST(JSON_VALUE(data.score) AS NUMERIC), NULL) AS assessment_score
    FROM `${project}.${dataset}.learner_events_with_margin`(first_date, last_date)
  ),
  sessions AS (
    SELECT
      learner_id,
      session_id,
      MIN(event_ts) AS session_start,
      MAX(event_ts) AS session_end,
      COUNT(*) AS total_events,
      COUNT(DISTINCT IF(event_type = 'page_view', JSON_VALUE(data.page_id), NULL)) AS unique_pages,
      COUNTIF(event_type = 'interaction') AS total_interactions,
      COUNT(DISTINCT lesson_id) AS lessons_attempted,
      COUNT(DISTINCT IF(event_type = 'lesson_complete', lesson_id, NULL)) AS lessons_completed,
      COUNT(DISTINCT assessment_id) AS assessments_attempted,
      COUNT(DISTINCT IF(event_type = 'assessment_complete', assessment_id, NULL)) AS assessments_completed,
      SUM(assessment_score) AS total_score,
      COUNT(assessment_score) AS scores,
      COUNTIF(event_type = 'session_end') > 0 AS is_ended,
      MIN(processed_at) AS created_at,
      MAX(processed_at) AS updated_at
    FROM events
    GROUP BY learner_id, session_id
  )
SELECT
  DATE(session_start, 'UTC') AS partition_date,
  learner_id,
  session_id,
  session_start,
  session_end,
  TIMESTAMP_DIFF(session_end, session_start, MICROSECOND) / 1000000 AS duration_seconds,
  total_events,
  unique_pages,
  total_interactions,
  lessons_attempted,
  lessons_completed,
  assessments_attempted,
  assessments_completed,
  CAST(ROUND(SAFE_DIVIDE(total_score, scores), 2) AS NUMERIC) AS avg_assessment_score,
  SAFE_DIVIDE(lessons_completed + assessments_completed, lessons_attempted + assessments_attempted) AS completion_rate,
  session_end AS last_activity,
  is_ended,
  NOT is_ended AND session_end >= TIMESTAMP_SUB(CURRENT_TIMESTAMP(), INTERVAL 30 MINUTE) AS is_active,
  created_at,
  updated_at
FROM sessions
WHERE DATE(session_start, 'UTC') BETWEEN first_date AND last_date;

CREATE OR REPLACE VIEW `${project}.${dataset}.session_metrics` (
  partition_date OPTIONS (description = "UTC date of session_start."),
  learner_id OPTIONS (description = "The learner."),
  session_id OPTIONS (description = "The visit of the learner."),
  session_start OPTIONS (description = "timestamp of the first event."),
  session_end OPTIONS (description = "timestamp of the last event."),
  duration_seconds OPTIONS (description = "Seconds from session_start to session_end, pauses included; minute_metrics has the active time."),
  total_events OPTIONS (description = "Number of events."),
  unique_pages OPTIONS (description = "Number of different pages of the page_view events."),
  total_interactions OPTIONS (description = "Number of interaction events."),
  lessons_attempted OPTIONS (description = "Number of different lessons that were started or completed."),
  lessons_completed OPTIONS (description = "Number of different lessons that were completed."),
  assessments_attempted OPTIONS (description = "Number of different assessments that were started or completed."),
  assessments_completed OPTIONS (description = "Number of different assessments that were completed."),
  avg_assessment_score OPTIONS (description = "Mean score of the assessment_complete events that have one, 0 to 100, to two decimals; null where none has."),
  completion_rate OPTIONS (description = "Lessons and assessments completed over those attempted, 0 to 1; null where none was attempted."),
  last_activity OPTIONS (description = "timestamp of the last event."),
  is_ended OPTIONS (description = "Whether there is a session_end event."),
  is_active OPTIONS (description = "Whether there is no session_end event, and an event within the last 30 minutes."),
  created_at OPTIONS (description = "When the first of the events behind the row was written."),
  updated_at OPTIONS (description = "When the last of the events behind the row was written.")
)
OPTIONS (description = "One row per learner and session.") AS
SELECT *
FROM `${project}.${dataset}.session_metrics_between`(DATE '${earliest_date}', DATE '${latest_date}');
