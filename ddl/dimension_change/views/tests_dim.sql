CREATE OR REPLACE VIEW `${project}.${dataset}.tests_dim` (
  test_id OPTIONS (description = "The test."),
  title OPTIONS (description = "The field of row of this name."),
  test_teacher_id OPTIONS (description = "The field teacher_id of row: whose test it is."),
  subject OPTIONS (description = "The field of row of this name."),
  duration_seconds OPTIONS (description = "The field of row of this name: how long a session may last; null where it is no integer."),
  attributes OPTIONS (description = "The whole row."),
  version_ts OPTIONS (description = "When the latest change took effect."),
  is_deleted OPTIONS (description = "Whether the latest change is a delete; the other columns keep the last row.")
)
OPTIONS (description = "One row per test: the latest version.") AS
SELECT
  key AS test_id,
  JSON_VALUE(kept_row.title) AS title,
  JSON_VALUE(kept_row.teacher_id) AS test_teacher_id,
  JSON_VALUE(kept_row.subject) AS subject,
  SAFE_CAST(JSON_VALUE(kept_row.duration_seconds) AS INT64) AS duration_seconds,
  kept_row AS attributes,
  version_ts,
  is_deleted
FROM `${project}.${dataset}.dimension_versions`
WHERE dimension = 'test'
QUALIFY ROW_NUMBER() OVER (PARTITION BY key ORDER BY version_ts DESC) = 1;
