-- fail: minute_metrics has as many events of each day as raw_events.
-- Two sums are compared, since a join of the rows would count an event once for each minute.
WITH
  raw AS (
    SELECT partition_date, COUNT(*) AS events
    FROM `${project}.${dataset}.raw_events_between`(@first_date, @last_date)
    GROUP BY partition_date
  ),
  minutes AS (
    SELECT partition_date, SUM(total_events) AS events
    FROM `${project}.${dataset}.minute_metrics_between`(@first_date, @last_date)
    GROUP BY partition_date
  ),
  days AS (
    SELECT
      partition_date,
      COALESCE(raw.events, 0) AS raw_events,
      COALESCE(minutes.events, 0) AS minute_events
    FROM raw
    FULL JOIN minutes USING (partition_date)
  )
SELECT
  IF(raw_events > minute_events, 'missing', 'too many') AS finding,
  partition_date,
  raw_events,
  minute_events
FROM days
WHERE raw_events != minute_events;
