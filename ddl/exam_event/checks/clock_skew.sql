-- warn: The clocks of the devices are right to the minute.
--   ahead   an event from more than a minute after Pub/Sub took it. A clock that is behind cannot be
--           distinguished from an app that was offline;
--   set     an event from more than a minute before its session started: the clock was set back.
WITH
  ahead AS (
    SELECT event_id, MIN(session_id) AS session_id, MAX(client_ts) AS client_ts
    FROM `${project}.${dataset}.events_fact`
    WHERE
      event_date BETWEEN @first_date AND @last_date
      AND client_ts > TIMESTAMP_ADD(publish_ts, INTERVAL 1 MINUTE)
    GROUP BY event_id
  ),
  set_back AS (
    SELECT event_id, session_id, client_ts
    FROM `${project}.${dataset}.session_events_between`(@first_date, @last_date)
    WHERE TRUE
    QUALIFY
      TIMESTAMP_ADD(client_ts, INTERVAL 1 MINUTE)
      < MIN(IF(event_type = 'session_start', client_ts, NULL)) OVER (PARTITION BY session_id)
  )
SELECT 'ahead' AS finding, event_id, session_id, client_ts FROM ahead
UNION ALL
SELECT 'set' AS finding, event_id, session_id, client_ts FROM set_back;
