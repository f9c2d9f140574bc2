-- Counts the messages that were published from start to before end by outcome (DESIGN 6). The unit is
-- the message: each counts once, as a fact where it is one, else as a dead letter. Of events_fact, the
-- partitions from first_date to last_date are read, for conflicts eight days more on either side; of
-- dead_letters, which lie in the partition of the day they failed, those from first_date to today's.
-- Rows of several_events, several_sources and replays are there only where something was found.
WITH
  facts AS (
    SELECT event_id, message_id
    FROM `${project}.${dataset}.events_fact`
    WHERE event_date BETWEEN @first_date AND @last_date AND publish_ts >= @start AND publish_ts < @end
  ),
  letters AS (
    SELECT
      message_id,
      error_kind,
      event_id,
      source,
      -- Failed again, or is a fact under another message_id by now.
      replay_count > 0 OR event_id IN (SELECT event_id FROM facts) AS is_replayed
    FROM `${project}.${dataset}.dead_letters`
    WHERE failed_date >= @first_date AND publish_time >= @start AND publish_time < @end
  ),
  dead_letters AS (
    SELECT message_id, MIN(error_kind) AS error_kind, LOGICAL_OR(is_replayed) AS is_replayed
    FROM letters
    WHERE message_id NOT IN (SELECT message_id FROM facts)
    GROUP BY message_id
  ),
  several AS (
    SELECT 'several_events' AS quantity, message_id
    FROM (
      SELECT message_id, event_id FROM facts
      UNION ALL
      SELECT message_id, event_id FROM letters
    )
    GROUP BY message_id
    HAVING COUNT(DISTINCT event_id) > 1
    UNION ALL
    SELECT 'several_sources' AS quantity, message_id
    FROM letters
    GROUP BY message_id
    HAVING COUNT(DISTINCT source) > 1
  ),
  conflicts AS (
    SELECT event_id
    FROM `${project}.${dataset}.event_conflicts_between`(@first_date, @last_date)
    WHERE last_publish_ts >= @start AND first_publish_ts < @end
  )
SELECT 'facts' AS quantity, COUNT(DISTINCT event_id) AS found, CAST(NULL AS STRING) AS examples
FROM facts
UNION ALL
-- Not below 0, where a message_id stands for several events.
SELECT
  'duplicates' AS quantity,
  GREATEST(COUNT(DISTINCT message_id) - COUNT(DISTINCT event_id), 0) AS found,
  CAST(NULL AS STRING) AS examples
FROM facts
UNION ALL
SELECT 'conflicts' AS quantity, COUNT(*) AS found, CAST(NULL AS STRING) AS examples
FROM conflicts
UNION ALL
SELECT error_kind AS quantity, COUNT(*) AS found, CAST(NULL AS STRING) AS examples
FROM dead_letters
GROUP BY error_kind
UNION ALL
SELECT 'replays' AS quantity, COUNT(*) AS found, CAST(NULL AS STRING) AS examples
FROM dead_letters
WHERE is_replayed
HAVING COUNT(*) > 0
UNION ALL
SELECT
  quantity,
  COUNT(*) AS found,
  ARRAY_TO_STRING(ARRAY_AGG(message_id ORDER BY message_id LIMIT 5), ', ') AS examples
FROM several
GROUP BY quantity;
