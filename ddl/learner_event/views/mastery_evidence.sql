-- Each learner's first scored attempt at an item, once for the content it belongs to and once for
-- each skill: repeats at one item are practice. Reads all of history, since only that shows which
-- attempt is the first.
CREATE OR REPLACE VIEW `${project}.${dataset}.mastery_evidence` (
  partition_date OPTIONS (description = "UTC date of evidence_ts."),
  learner_id OPTIONS (description = "The learner; the student of an exam answer."),
  content_type OPTIONS (description = "lesson, assessment (the test of an exam answer) or skill."),
  content_id OPTIONS (description = "The lesson_id, the assessment_id or test_id, or the skill: one of skill_ids, or of an exam answer the skill_id of questions_dim, else the topic."),
  item_type OPTIONS (description = "What was attempted: lesson, assessment or question."),
  item_id OPTIONS (description = "The lesson_id, assessment_id or question_id of the item."),
  source_id OPTIONS (description = "What the item is part of: the test_id of a question, else item_id."),
  score OPTIONS (description = "Result of the attempt, 0 to 1; of an exam answer 0 or 1, graded by questions_dim where it knows the correct option, else by the app."),
  evidence_ts OPTIONS (description = "When the attempt happened."),
  event_id OPTIONS (description = "The event behind it."),
  event_type OPTIONS (description = "Type of that event."),
  session_id OPTIONS (description = "Session of that event."),
  created_at OPTIONS (description = "When that event was written.")
)
OPTIONS (description = "One row per learner, content and item that the learner has attempted: the first scored attempt.") AS
WITH
  completions AS (
    SELECT
      learner_id,
      IF(event_type = 'lesson_complete', 'lesson', 'assessment') AS item_type,
      IF(event_type = 'lesson_complete', JSON_VALUE(data.lesson_id), JSON_VALUE(data.assessment_id)) AS item_id,
      CAST(CAST(JSON_VALUE(data.score) AS NUMERIC) / 100 AS NUMERIC) AS score,
      JSON_VALUE_ARRAY(data.skill_ids) AS skills,
      timestamp AS evidence_ts,
      event_id,
      event_type,
      session_id,
      processed_at
    FROM `${project}.${dataset}.learner_events`
    WHERE event_type IN ('lesson_complete', 'assessment_complete')
  ),
  questions AS (
    SELECT test_id, question_id, correct_option, COALESCE(skill_id, topic) AS skill
    FROM `${project}.${dataset}.questions_dim`
    WHERE TRUE
    QUALIFY ROW_NUMBER() OVER (
      PARTITION BY test_id, question_id ORDER BY version_ts DESC, correct_option
    ) = 1
  ),
  graded_answers AS (
    SELECT
      answer.*,
      COALESCE(answer.answer = questions.correct_option, answer.is_correct_answer) AS is_correct,
      questions.skill
    FROM `${project}.${dataset}.session_events_between`(DATE '${earliest_date}', DATE '${latest_date}') AS answer
    LEFT JOIN questions
      ON questions.test_id = answer.test_id AND questions.question_id = answer.question_id
    WHERE answer.is_answer
  ),
  attempts AS (
    SELECT
      learner_id,
      item_type,
      item_id,
      item_id AS source_id,
      score,
      skills,
      evidence_ts,
      event_id,
      event_type,
      session_id,
      processed_at
    FROM completions
    WHERE score IS NOT NULL
    UNION ALL
    SELECT
      student_id AS learner_id,
      'question' AS item_type,
      question_id AS item_id,
      test_id AS source_id,
      IF(is_correct, NUMERIC '1', NUMERIC '0') AS score,
      IF(skill IS NULL, [], [skill]) AS skills,
      client_ts AS evidence_ts,
      event_id,
      event_type,
      session_id,
      ingest_ts AS processed_at
    FROM graded_answers
    WHERE is_correct IS NOT NULL
  ),
  first_attempts AS (
    SELECT *
    FROM attempts
    WHERE TRUE
    QUALIFY ROW_NUMBER() OVER (
      PARTITION BY learner_id, item_type, source_id, item_id ORDER BY evidence_ts, event_id
    ) = 1
  ),
  of_contents AS (
    SELECT
      * EXCEPT (skills),
      IF(item_type = 'lesson', 'lesson', 'assessment') AS content_type,
      source_id AS content_id
    FROM first_attempts
    UNION ALL
    SELECT DISTINCT
      first_attempt.* EXCEPT (skills),
      'skill' AS content_type,
      skill AS content_id
    FROM first_attempts AS first_attempt
    CROSS JOIN UNNEST(first_attempt.skills) AS skill
  )
SELECT
  DATE(evidence_ts, 'UTC') AS partition_date,
  learner_id,
  content_type,
  content_id,
  item_type,
  item_id,
  source_id,
  score,
  evidence_ts,
  event_id,
  event_type,
  session_id,
  processed_at AS created_at
FROM of_contents;
