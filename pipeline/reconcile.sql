-- Counts the messages that were published from start to before end by event family and outcome
-- (DESIGN 6). The unit is the message: each counts once, as a fact where it is one, else as a dead
-- letter. Of the fact tables, the partitions from first_date to last_date are read, for conflicts
-- eight days more on either side; of dead_letters, which lie in the partition of the day they failed,
-- those from first_date to today's. Letters of no family count with whatever families are asked for.
-- There are rows only of what was found.
WITH
  facts AS (
    SELECT event_family, event_id, message_id
    FROM (
    ${facts}
    )
    WHERE event_date BETWEEN @first_date AND @last_date AND publish_ts >= @start AND publish_ts < @end
  ),
  letters AS (
    SELECT
      event_family,
      message_id,
      error_kind,
      event_id,
      source,
      -- Failed again, or is a fact under another message_id by now.
      replay_count > 0 OR event_id IN (SELECT event_id FROM facts) AS is_replayed
    FROM `${project}.${dataset}.dead_letters`
    WHERE
      failed_date >= @first_date
      AND publish_time >= @start
      AND publish_time < @end
      AND (event_family IS NULL OR event_family IN UNNEST(@event_families))
  ),
  dead_letters AS (
    SELECT
      message_id,
      MIN(event_family) AS event_family,
      MIN(error_kind) AS error_kind,
      LOGICAL_OR(is_replayed) AS is_replayed
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
    SELECT event_family
    FROM (
    ${conflicts}
    )
    WHERE last_publish_ts >= @start AND first_publish_ts < @end
  )
SELECT event_family, 'facts' AS quantity, COUNT(DISTINCT event_id) AS found, CAST(NULL AS STRING) AS examples
FROM facts
GROUP BY event_family
UNION ALL
-- Not below 0, where a message_id stands for several events.
SELECT
  event_family,
  'duplicates' AS quantity,
  GREATEST(COUNT(DISTINCT message_id) - COUNT(DISTINCT event_id), 0) AS found,
  CAST(NULL AS STRING) AS examples
FROM facts
GROUP BY event_family
UNION ALL
SELECT event_family, 'conflicts' AS quantity, COUNT(*) AS found, CAST(NULL AS STRING) AS examples
FROM conflicts
GROUP BY event_family
UNION ALL
SELECT event_family, error_kind AS quantity, COUNT(*) AS found, CAST(NULL AS STRING) AS examples
FROM dead_letters
GROUP BY event_family, error_kind
UNION ALL
SELECT
  CAST(NULL AS STRING) AS event_family,
  'replays' AS quantity,
  COUNT(*) AS found,
  CAST(NULL AS STRING) AS examples
FROM dead_letters
WHERE is_replayed
HAVING COUNT(*) > 0
UNION ALL
SELECT
  CAST(NULL AS STRING) AS event_family,
  quantity,
  COUNT(*) AS found,
  ARRAY_TO_STRING(ARRAY_AGG(message_id ORDER BY message_id LIMIT 5), ', ') AS examples
FROM several
GROUP BY quantity;
