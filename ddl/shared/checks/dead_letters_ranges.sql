-- fail: Every value of a dead letter lies within what the column's description allows.
WITH
  letters AS (
    SELECT *
    FROM `${project}.${dataset}.dead_letters`
    WHERE failed_date BETWEEN @first_date AND @last_date
  )
SELECT finding, message_id, error_kind, failed_at, failed_date
FROM letters
CROSS JOIN UNNEST([
  IF(
    error_kind NOT IN (
      'not_json',
      'too_large',
      'schema_violation',
      'rule_violation',
      'store_error',
      'rejected_by_warehouse',
      'internal_error'
    ),
    'error_kind',
    NULL
  ),
  IF(failed_date != DATE(failed_at, 'UTC'), 'failed_date', NULL),
  IF(replay_count < 0, 'replay_count', NULL),
  IF(payload_size < BYTE_LENGTH(payload), 'payload_size', NULL)
]) AS finding
WHERE finding IS NOT NULL;
