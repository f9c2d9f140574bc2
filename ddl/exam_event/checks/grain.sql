-- fail: A message is one event, and a test has one row of settings.
--   message  one message_id, several events, dead letters among them: two sources number their messages
--            alike, and counts are wrong;
--   setting  one test, several rows in lateness_settings: the pipeline does not start.
WITH
  messages AS (
    SELECT message_id, event_id
    FROM `${project}.${dataset}.events_fact`
    WHERE event_date BETWEEN @first_date AND @last_date
    UNION ALL
    SELECT message_id, event_id
    FROM `${project}.${dataset}.dead_letters`
    WHERE failed_date BETWEEN @first_date AND @last_date AND message_id IS NOT NULL
  )
SELECT
  'message' AS finding,
  message_id,
  CAST(NULL AS STRING) AS test_id,
  COUNT(*) AS table_rows,
  MIN(event_id) AS one_event_id,
  MAX(event_id) AS another_event_id
FROM messages
GROUP BY message_id
HAVING COUNT(DISTINCT event_id) > 1
UNION ALL
SELECT
  'setting' AS finding,
  CAST(NULL AS STRING) AS message_id,
  test_id,
  COUNT(*) AS table_rows,
  CAST(NULL AS STRING) AS one_event_id,
  CAST(NULL AS STRING) AS another_event_id
FROM `${project}.${dataset}.lateness_settings`
GROUP BY test_id
HAVING COUNT(*) > 1;
