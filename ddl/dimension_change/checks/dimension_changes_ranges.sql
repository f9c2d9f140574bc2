-- fail: Every value of a fact lies within what the contract allows.
-- Private fields are left out: a pseudonym may stand in their place.
-- Rendered from schemas/dimension_change/v1.avsc by python -m ddl render: do not edit.
WITH
  facts AS (
    SELECT *
    FROM `${project}.${dataset}.dimension_changes_fact`
    WHERE event_date BETWEEN @first_date AND @last_date
  )
SELECT finding, event_id, event_type, message_id, event_date
FROM facts
CROSS JOIN UNNEST([
  IF(event_type NOT IN ('dimension_change'), 'event_type', NULL),
  IF(dimension NOT IN ('student', 'teacher', 'test', 'question'), 'dimension', NULL),
  IF(CHAR_LENGTH(key) NOT BETWEEN 1 AND 128, 'key', NULL),
  IF(op NOT IN ('upsert', 'delete'), 'op', NULL),
  IF(position < 0, 'position', NULL),
  IF(CHAR_LENGTH(row_hash) NOT BETWEEN 1 AND 128, 'row_hash', NULL),
  IF(CHAR_LENGTH(event_id) NOT BETWEEN 1 AND 128, 'event_id', NULL),
  IF(event_date != DATE(publish_ts, 'UTC'), 'event_date', NULL)
]) AS finding
WHERE finding IS NOT NULL;
