CREATE OR REPLACE VIEW `${project}.${dataset}.questions_dim` (
  test_id OPTIONS (description = "The field of row of this name: the question's test."),
  question_id OPTIONS (description = "The field of row of this name, else the key."),
  correct_option OPTIONS (description = "The field of row of this name."),
  topic OPTIONS (description = "The field of row of this name."),
  skill_id OPTIONS (description = "The field of row of this name."),
  attributes OPTIONS (description = "The whole row."),
  version_ts OPTIONS (description = "When the latest change took effect."),
  is_deleted OPTIONS (description = "Whether the latest change is a delete; the other columns keep the last row.")
)
OPTIONS (description = "One row per question: the latest version.") AS
SELECT
  JSON_VALUE(kept_row.test_id) AS test_id,
  COALESCE(JSON_VALUE(kept_row.question_id), key) AS question_id,
  JSON_VALUE(kept_row.correct_option) AS correct_option,
  JSON_VALUE(kept_row.topic) AS topic,
  JSON_VALUE(kept_row.skill_id) AS skill_id,
  kept_row AS attributes,
  version_ts,
  is_deleted
FROM `${project}.${dataset}.dimension_versions`
WHERE dimension = 'question'
QUALIFY ROW_NUMBER() OVER (PARTITION BY key ORDER BY version_ts DESC) = 1;
