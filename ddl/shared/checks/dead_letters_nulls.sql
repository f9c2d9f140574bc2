-- fail: A dead letter has a value in every column that its kind of error needs.
WITH
  letters AS (
    SELECT *
    FROM `${project}.${dataset}.dead_letters`
    WHERE failed_date BETWEEN @first_date AND @last_date
  )
SELECT finding, message_id, event_id, error_kind, failed_date
FROM letters
CROSS JOIN UNNEST([
  IF(error_kind IS NULL, 'error_kind', NULL),
  IF(error_message IS NULL, 'error_message', NULL),
  IF(message_id IS NULL, 'message_id', NULL),
  IF(publish_time IS NULL, 'publish_time', NULL),
  IF(failed_at IS NULL, 'failed_at', NULL),
  IF(payload_size IS NULL, 'payload_size', NULL),
  IF(error_kind = 'store_error' AND session_id IS NULL, 'session_id', NULL)
]) AS finding
WHERE finding IS NOT NULL;
