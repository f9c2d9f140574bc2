CREATE OR REPLACE VIEW `${project}.${dataset}.teachers_dim` (
  teacher_id OPTIONS (description = "The teacher."),
  school_id OPTIONS (description = "The field of row of this name."),
  attributes OPTIONS (description = "The whole row."),
  version_ts OPTIONS (description = "When the latest change took effect."),
  is_deleted OPTIONS (description = "Whether the latest change is a delete; the other columns keep the last row.")
)
OPTIONS (description = "One row per teacher: the latest version.") AS
SELECT
  key AS teacher_id,
  JSON_VALUE(kept_row.school_id) AS school_id,
  kept_row AS attributes,
  version_ts,
  is_deleted
FROM `${project}.${dataset}.dimension_versions`
WHERE dimension = 'teacher'
QUALIFY ROW_NUMBER() OVER (PARTITION BY key ORDER BY version_ts DESC) = 1;
