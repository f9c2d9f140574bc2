-- What became of the messages that were published from start to before end (DESIGN 6). The unit is
-- the message: each counts once, as a fact where it is one, else as a dead letter. Partitions from
-- first_date to last_date are read; for conflicts, eight days more on either side.
WITH
  facts AS (
    SELECT event_id, message_id
    FROM `${project}.${dataset}.events_fact`
    WHERE event_date BETWEEN @first_date AND @last_date AND publish_ts >= @start AND publish_ts < @end
  ),
  letters AS (
    SELECT message_id, MIN(error_kind) AS error_kind
    FROM `${project}.${dataset}.dead_letters`
    WHERE
      failed_date BETWEEN @first_date AND @last_date
      AND publish_time >= @start
      AND publish_time < @end
      AND message_id NOT IN (SELECT message_id FROM facts)
    GROUP BY message_id
  ),
  conflicts AS (
    SELECT event_id
    FROM `${project}.${dataset}.event_conflicts_between`(@first_date, @last_date)
    WHERE last_publish_ts >= @start AND first_publish_ts < @end
  )
SELECT 'facts' AS quantity, COUNT(DISTINCT event_id) AS found
FROM facts
UNION ALL
SELECT 'duplicates' AS quantity, COUNT(DISTINCT message_id) - COUNT(DISTINCT event_id) AS found
FROM facts
UNION ALL
SELECT 'conflicts' AS quantity, COUNT(*) AS found
FROM conflicts
UNION ALL
SELECT error_kind AS quantity, COUNT(*) AS found
FROM letters
GROUP BY error_kind;
