-- fail: Every value of a fact lies within what the contract allows.
-- Private fields are left out: a pseudonym may stand in their place.
-- Rendered from schemas/user_activity/v1.avsc by python -m ddl render: do not edit.
WITH
  facts AS (
    SELECT *
    FROM `${project}.${dataset}.user_activity_fact`
    WHERE event_date BETWEEN @first_date AND @last_date
  )
SELECT finding, event_id, event_type, message_id, event_date
FROM facts
CROSS JOIN UNNEST([
  IF(event_type NOT IN ('user_activity'), 'event_type', NULL),
  IF(activity_type NOT IN ('login', 'logout', 'view_product', 'add_to_cart', 'remove_from_cart'), 'activity_type', NULL),
  IF(CHAR_LENGTH(metadata.session_id) NOT BETWEEN 1 AND 128, 'metadata.session_id', NULL),
  IF(metadata.platform NOT IN ('web', 'mobile', 'tablet'), 'metadata.platform', NULL),
  IF(CHAR_LENGTH(event_id) NOT BETWEEN 1 AND 128, 'event_id', NULL),
  IF(event_date != DATE(timestamp, 'UTC'), 'event_date', NULL)
]) AS finding
WHERE finding IS NOT NULL;
