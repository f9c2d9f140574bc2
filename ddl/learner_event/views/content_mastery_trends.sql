CREATE OR REPLACE TABLE FUNCTION `${project}.${dataset}.content_mastery_trends_between`(first_date DATE, last_date DATE) AS
WITH
  deltas AS (
    SELECT
      *,
      ROW_NUMBER() OVER (
        PARTITION BY learner_id, content_type, content_id, partition_date ORDER BY evidence_count DESC
      ) = 1 AS is_last
    FROM `${project}.${dataset}.mastery_deltas`
    WHERE partition_date BETWEEN first_date AND last_date
  )
SELECT
  partition_date,
  content_type,
  content_id,
  partition_date AS mastery_date,
  COUNT(DISTINCT learner_id) AS learners_affected,
  CAST(ROUND(SUM(mastery_delta) / COUNT(DISTINCT learner_id), 4) AS NUMERIC) AS avg_mastery_change,
  CAST(ROUND(SUM(IF(is_last, current_mastery, NULL)) / COUNT(DISTINCT learner_id), 4) AS NUMERIC) AS avg_current_mastery,
  CAST(ROUND(SUM(IF(is_last, confidence_score, NULL)) / COUNT(DISTINCT learner_id), 4) AS NUMERIC) AS avg_confidence,
  MIN(created_at) AS created_at
FROM deltas
GROUP BY content_type, content_id, partition_date;

CREATE OR REPLACE VIEW `${project}.${dataset}.content_mastery_trends` (
  partition_date OPTIONS (description = "mastery_date."),
  content_type OPTIONS (description = "lesson, assessment or skill."),
  content_id OPTIONS (description = "The content."),
  mastery_date OPTIONS (description = "UTC date of the evidence."),
  learners_affected OPTIONS (description = "Number of learners with evidence on that date."),
  avg_mastery_change OPTIONS (description = "Mean over these learners of the sum of their deltas of that date, to four decimals."),
  avg_current_mastery OPTIONS (description = "Mean over these learners of mastery after their last evidence of that date, to four decimals."),
  avg_confidence OPTIONS (description = "The same of confidence_score."),
  created_at OPTIONS (description = "When the first of the events behind the row was written.")
)
OPTIONS (description = "One row per content and day with evidence, of the last 30 days.") AS
SELECT *
FROM `${project}.${dataset}.content_mastery_trends_between`(DATE_SUB(CURRENT_DATE('UTC'), INTERVAL 29 DAY), CURRENT_DATE('UTC'));
