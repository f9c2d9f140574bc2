-- Mastery is Beta-Bernoulli. With a prior of mean m and weight w, n pieces of evidence of the scores
-- s give (m * w + sum of s) / (w + n). Sums commute: the order of arrival does not matter.
CREATE OR REPLACE VIEW `${project}.${dataset}.mastery_deltas` (
  partition_date OPTIONS (description = "UTC date of evidence_ts."),
  learner_id OPTIONS (description = "The learner."),
  content_type OPTIONS (description = "lesson, assessment or skill."),
  content_id OPTIONS (description = "The content."),
  evidence_ts OPTIONS (description = "When the evidence was given."),
  previous_mastery OPTIONS (description = "Mastery before this piece of evidence, 0 to 1, to four decimals."),
  current_mastery OPTIONS (description = "Mastery with it."),
  mastery_delta OPTIONS (description = "current_mastery - previous_mastery."),
  confidence_score OPTIONS (description = "Share of evidence in current_mastery, the rest being the prior: evidence_count / (prior_weight + evidence_count), to four decimals."),
  evidence_count OPTIONS (description = "Pieces of evidence up to this one."),
  trigger_event_id OPTIONS (description = "The event behind the evidence."),
  trigger_event_type OPTIONS (description = "Type of that event."),
  session_id OPTIONS (description = "Session of that event."),
  item_type OPTIONS (description = "What was attempted: lesson, assessment or question."),
  item_id OPTIONS (description = "The item that was attempted."),
  source_id OPTIONS (description = "What the item is part of: the test_id of a question, else item_id."),
  score OPTIONS (description = "Result of the attempt, 0 to 1, to four decimals."),
  created_at OPTIONS (description = "When the event was written.")
)
OPTIONS (description = "One row per learner, content and piece of evidence, with mastery before and after it.") AS
WITH
  settings AS (
    SELECT
      content_type,
      content_id,
      MAX(prior_mean) AS prior_mean,
      MAX(prior_weight) AS prior_weight
    FROM `${project}.${dataset}.mastery_settings`
    GROUP BY content_type, content_id
  ),
  default_settings AS (
    SELECT MAX(prior_mean) AS prior_mean, MAX(prior_weight) AS prior_weight
    FROM settings
    WHERE content_id IS NULL
  ),
  with_prior AS (
    SELECT
      evidence.*,
      COALESCE(own.prior_mean, other.prior_mean, NUMERIC '0.5') AS prior_mean,
      COALESCE(own.prior_weight, other.prior_weight, NUMERIC '2') AS prior_weight
    FROM `${project}.${dataset}.mastery_evidence` AS evidence
    LEFT JOIN settings AS own
      ON own.content_type = evidence.content_type AND own.content_id = evidence.content_id
    CROSS JOIN default_settings AS other
  ),
  summed AS (
    SELECT
      *,
      COUNT(*) OVER evidence AS evidence_count,
      SUM(score) OVER evidence AS total_score
    FROM with_prior
    WINDOW
      evidence AS (
        PARTITION BY learner_id, content_type, content_id
        ORDER BY evidence_ts, event_id, item_type, source_id, item_id
        ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
      )
  ),
  estimated AS (
    SELECT
      *,
      CAST(
        ROUND((prior_mean * prior_weight + total_score - score) / (prior_weight + evidence_count - 1), 4) AS NUMERIC
      ) AS previous_mastery,
      CAST(
        ROUND((prior_mean * prior_weight + total_score) / (prior_weight + evidence_count), 4) AS NUMERIC
      ) AS current_mastery
    FROM summed
  )
SELECT
  partition_date,
  learner_id,
  content_type,
  content_id,
  evidence_ts,
  previous_mastery,
  current_mastery,
  current_mastery - previous_mastery AS mastery_delta,
  CAST(ROUND(evidence_count / (prior_weight + evidence_count), 4) AS NUMERIC) AS confidence_score,
  evidence_count,
  event_id AS trigger_event_id,
  event_type AS trigger_event_type,
  session_id,
  item_type,
  item_id,
  source_id,
  ROUND(score, 4) AS score,
  created_at
FROM estimated;
