-- What every dimension is made of: of the changes of one moment the last, copies left out. The first
-- of an event's copies counts.
CREATE OR REPLACE VIEW `${project}.${dataset}.dimension_versions` (
  dimension,
  key,
  version_ts,
  is_deleted OPTIONS (description = "Whether it was deleted; row is then null."),
  row,
  kept_row OPTIONS (description = "The row of this version or, where it was deleted, of the last version that has one.")
)
OPTIONS (description = "One row per student, teacher, test or question and moment of a change.") AS
WITH
  changes AS (
    SELECT dimension, key, version_ts, COALESCE(position, 0) AS position, publish_ts, event_id, op, row
    FROM `${project}.${dataset}.dimension_changes_fact`
    WHERE TRUE
    QUALIFY ROW_NUMBER() OVER (PARTITION BY event_id ORDER BY publish_ts, message_id, ingest_ts) = 1
  ),
  versions AS (
    SELECT
      * EXCEPT (row),
      IF(op = 'delete', NULL, row) AS row,
      LAST_VALUE(IF(op = 'delete', NULL, row) IGNORE NULLS) OVER (
        PARTITION BY dimension, key
        ORDER BY version_ts, position, publish_ts, event_id
        ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
      ) AS kept_row
    FROM changes
  )
SELECT dimension, key, version_ts, op = 'delete' AS is_deleted, row, kept_row
FROM versions
WHERE TRUE
QUALIFY ROW_NUMBER() OVER (
  PARTITION BY dimension, key, version_ts
  ORDER BY position DESC, publish_ts DESC, event_id DESC
) = 1;
