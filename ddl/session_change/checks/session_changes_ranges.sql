-- fail: Every value of a fact lies within what the contract allows.
-- Private fields are left out: a pseudonym may stand in their place.
-- Rendered from schemas/session_change/v1.avsc by python -m ddl render: do not edit.
WITH
  facts AS (
    SELECT *
    FROM `${project}.${dataset}.session_changes_fact`
    WHERE event_date BETWEEN @first_date AND @last_date
  )
SELECT finding, event_id, event_type, message_id, event_date
FROM facts
CROSS JOIN UNNEST([
  IF(event_type NOT IN ('session_change'), 'event_type', NULL),
  IF(CHAR_LENGTH(session_id) NOT BETWEEN 1 AND 128, 'session_id', NULL),
  IF(op NOT IN ('upsert', 'delete'), 'op', NULL),
  IF(position < 0, 'position', NULL),
  IF(CHAR_LENGTH(event_id) NOT BETWEEN 1 AND 128, 'event_id', NULL),
  IF(event_date != DATE(expiry_ts, 'UTC'), 'event_date', NULL)
]) AS finding
WHERE finding IS NOT NULL;
