-- Type 2: a row is true from valid_from until just before valid_to. Adjacent versions that say the
-- same are one. A JSON text is compared: the pipeline writes the keys of row in order.
CREATE OR REPLACE VIEW `${project}.${dataset}.students_dim` (
  student_key OPTIONS (description = "Key of the version: FARM_FINGERPRINT of student_id and valid_from."),
  student_id OPTIONS (description = "The student."),
  school_id OPTIONS (description = "The field of row of this name; null where deleted."),
  grade OPTIONS (description = "The field of row of this name; null where deleted."),
  teacher_id OPTIONS (description = "The field of row of this name; null where deleted."),
  attributes OPTIONS (description = "The whole row; null where deleted."),
  valid_from OPTIONS (description = "When the version began; 0001-01-01 for a student's first."),
  valid_to OPTIONS (description = "When the next version began; null for the current one."),
  is_current OPTIONS (description = "Whether no version follows."),
  is_deleted OPTIONS (description = "Whether the student was deleted then.")
)
OPTIONS (description = "One row per student and version. Join a fact at a time t where valid_from <= t and t < valid_to, or valid_to is null.") AS
WITH
  states AS (
    SELECT *, IF(is_deleted, '', TO_JSON_STRING(row)) AS state
    FROM `${project}.${dataset}.dimension_versions`
    WHERE dimension = 'student'
  ),
  changed AS (
    SELECT *
    FROM states
    WHERE TRUE
    QUALIFY state IS DISTINCT FROM LAG(state) OVER (PARTITION BY key ORDER BY version_ts)
  ),
  versions AS (
    SELECT
      *,
      IF(
        ROW_NUMBER() OVER (PARTITION BY key ORDER BY version_ts) = 1,
        TIMESTAMP '0001-01-01 00:00:00+00',
        version_ts
      ) AS valid_from,
      LEAD(version_ts) OVER (PARTITION BY key ORDER BY version_ts) AS valid_to
    FROM changed
  )
SELECT
  FARM_FINGERPRINT(CONCAT(key, '@', CAST(UNIX_MICROS(valid_from) AS STRING))) AS student_key,
  key AS student_id,
  JSON_VALUE(row.school_id) AS school_id,
  JSON_VALUE(row.grade) AS grade,
  JSON_VALUE(row.teacher_id) AS teacher_id,
  row AS attributes,
  valid_from,
  valid_to,
  valid_to IS NULL AS is_current,
  is_deleted
FROM versions;
