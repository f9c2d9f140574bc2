CREATE OR REPLACE TABLE FUNCTION `${project}.${dataset}.learner_activity_summary_between`(first_date DATE, last_date DATE) AS
SELECT
  partition_date,
  learner_id,
  partition_date AS activity_date,
  SUM(total_events) AS daily_events,
  CAST(SUM(time_spent_seconds) / 3600 AS NUMERIC) AS hours_spent,
  COUNT(DISTINCT session_id) AS sessions,
  SUM(lessons_completed) AS lessons_completed,
  SUM(assessments_completed) AS assessments_completed,
  MIN(created_at) AS created_at
FROM `${project}.${dataset}.minute_metrics_between`(first_date, last_date)
GROUP BY learner_id, partition_date;

CREATE OR REPLACE VIEW `${project}.${dataset}.learner_activity_summary` (
  partition_date OPTIONS (description = "activity_date."),
  learner_id OPTIONS (description = "The learner."),
  activity_date OPTIONS (description = "UTC date of the minutes."),
  daily_events OPTIONS (description = "Number of events."),
  hours_spent OPTIONS (description = "Active time in hours: time_spent_seconds of minute_metrics."),
  sessions OPTIONS (description = "Number of sessions with a minute on that date."),
  lessons_completed OPTIONS (description = "Number of lesson_complete events."),
  assessments_completed OPTIONS (description = "Number of assessment_complete events."),
  created_at OPTIONS (description = "When the first of the events behind the row was written.")
)
OPTIONS (description = "One row per learner and day with activity, of the last 90 days.") AS
SELECT *
FROM `${project}.${dataset}.learner_activity_summary_between`(DATE_SUB(CURRENT_DATE('UTC'), INTERVAL 89 DAY), CURRENT_DATE('UTC'));
