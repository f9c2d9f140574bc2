-- fail: A message_id of the dead letters stands for one message.
--   payload  several payloads: two sources number their messages alike, and counts are wrong;
--   source   several subscriptions or files.
-- Delivery is at least once: the same letter written twice is no finding.
WITH
  messages AS (
    SELECT
      message_id,
      COUNT(*) AS letters,
      MIN(source) AS one_source,
      MAX(source) AS another_source,
      COUNT(DISTINCT payload) > 1 OR COUNT(DISTINCT payload_size) > 1 AS payloads_differ
    FROM `${project}.${dataset}.dead_letters`
    WHERE failed_date BETWEEN @first_date AND @last_date AND message_id IS NOT NULL
    GROUP BY message_id
  )
SELECT finding, message_id, letters, one_source, another_source
FROM messages
CROSS JOIN UNNEST([
  IF(payloads_differ, 'payload', NULL),
  IF(one_source != another_source, 'source', NULL)
]) AS finding
WHERE finding IS NOT NULL;
