-- fail: What must be there once is there once.
--   message  one message_id, several events: two sources number their messages alike, and counts go wrong;
--   setting  one test, several rows in lateness_settings: the pipeline does not start.
WITH
  messages AS (
    SELECT message_id
    FROM `${project}.${dataset}.events_fact`
    WHERE event_date BETWEEN @first_date AND @last_date
    GROUP BY message_id
    HAVING COUNT(DISTINCT event_id) > 1
  ),
  settings AS (
    SELECT test_id
    FROM `${project}.${dataset}.lateness_settings`
    GROUP BY test_id
    HAVING COUNT(*) > 1
  ),
  findings AS (
    SELECT 'message' AS what FROM messages
    UNION ALL
    SELECT 'setting' AS what FROM settings
  )
SELECT what, COUNT(*) AS found
FROM findings
GROUP BY what;
