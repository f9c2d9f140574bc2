-- The events of the dates and of the margin on either side, each with the time of the next one of
-- its session: every partition that a session of those dates may reach into. What minutes and
-- sessions have in common. Of an event's copies of one date the first is kept, as in learner_events.
CREATE OR REPLACE TABLE FUNCTION `${project}.${dataset}.learner_events_with_margin`(first_date DATE, last_date DATE) AS
WITH
  events AS (
    SELECT *
    FROM `${project}.${dataset}.learner_events_fact`
    WHERE event_date BETWEEN DATE_SUB(first_date, INTERVAL ${margin_days} DAY) AND DATE_ADD(last_date, INTERVAL ${margin_days} DAY)
    QUALIFY ROW_NUMBER() OVER (PARTITION BY event_date, event_id ORDER BY publish_ts, message_id, processed_at) = 1
  )
SELECT
  learner_id,
  session_id,
  event_id,
  event_type,
  timestamp AS event_ts,
  LEAD(timestamp) OVER (PARTITION BY learner_id, session_id ORDER BY timestamp, event_id) AS next_event_ts,
  data,
  processed_at
FROM events;
