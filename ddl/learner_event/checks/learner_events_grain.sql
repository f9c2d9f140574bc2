-- fail: A message is one event, and an event has one date.
--   message  one message_id, several events, dead letters among them: two sources number their
--            messages alike, and counts are wrong;
--   event    one event_id on several dates: the view learner_events has a row for each.
-- Rendered from schemas/learner_event/v1.avsc by python -m ddl render: do not edit.
WITH
  facts AS (
    SELECT message_id, event_id, event_date
    FROM `${project}.${dataset}.learner_events_fact`
    WHERE event_date BETWEEN @first_date AND @last_date
  ),
  messages AS (
    SELECT message_id, event_id
    FROM facts
    UNION ALL
    SELECT message_id, event_id
    FROM `${project}.${dataset}.dead_letters`
    WHERE
      failed_date BETWEEN @first_date AND @last_date
      AND message_id IS NOT NULL
      AND event_family = 'learner_event'
  )
SELECT
  'message' AS finding,
  message_id,
  COUNT(*) AS table_rows,
  MIN(event_id) AS one_event_id,
  MAX(event_id) AS another_event_id
FROM messages
GROUP BY message_id
HAVING COUNT(DISTINCT event_id) > 1
UNION ALL
SELECT
  'event' AS finding,
  CAST(NULL AS STRING) AS message_id,
  COUNT(*) AS table_rows,
  event_id AS one_event_id,
  CAST(NULL AS STRING) AS another_event_id
FROM facts
GROUP BY event_id
HAVING COUNT(DISTINCT event_date) > 1;
