-- What the tables of level 1 read: session_totals and session_events of the touched sessions.
-- Sessions that began before run_frozen_before stay as they are: some of their events have expired.
CREATE OR REPLACE TEMP TABLE run_sessions AS
SELECT DISTINCT session_id
FROM run_touched
WHERE session_id NOT IN (
  SELECT session_id
  FROM `${project}.${dataset}.sessions_fact`
  WHERE session_date < run_frozen_before
);

CREATE OR REPLACE TEMP TABLE run_totals AS
SELECT *
FROM `${project}.${dataset}.session_totals_between`(DATE '${earliest_date}', DATE '${earliest_date}')
LIMIT 0;

CREATE OR REPLACE TEMP TABLE run_events AS
SELECT *
FROM `${project}.${dataset}.session_events_between`(DATE '${earliest_date}', DATE '${earliest_date}')
LIMIT 0;

-- Runs of days that lie close together are read at once. A session's first event lies at most the
-- margin before any of its days.
FOR island IN (
  SELECT DATE_SUB(MIN(day), INTERVAL ${margin_days} DAY) AS first_date, MAX(day) AS last_date
  FROM (
    SELECT day, SUM(is_first) OVER (ORDER BY day) AS island
    FROM (
      SELECT
        day,
        IF(DATE_DIFF(day, LAG(day) OVER (ORDER BY day), DAY) <= ${margin_days} + 1, 0, 1) AS is_first
      FROM (
        SELECT day
        FROM run_touched
        INNER JOIN run_sessions USING (session_id)
        UNION DISTINCT
        SELECT session_date AS day
        FROM `${project}.${dataset}.sessions_fact`
        INNER JOIN run_sessions USING (session_id)
      )
    )
  )
  GROUP BY island
)
DO
  INSERT INTO run_totals
  SELECT totals.*
  FROM `${project}.${dataset}.session_totals_between`(island.first_date, island.last_date) AS totals
  INNER JOIN run_sessions USING (session_id);
  INSERT INTO run_events
  SELECT events.*
  FROM `${project}.${dataset}.session_events_between`(island.first_date, island.last_date) AS events
  INNER JOIN run_sessions USING (session_id);
END FOR;

-- A session further apart than the margin was read twice: its first date stands.
CREATE OR REPLACE TEMP TABLE run_session_totals AS
SELECT *
FROM run_totals
WHERE session_date >= run_frozen_before
QUALIFY ROW_NUMBER() OVER (PARTITION BY session_id ORDER BY session_date) = 1;

CREATE OR REPLACE TEMP TABLE run_session_events AS
SELECT events.*
FROM run_events AS events
INNER JOIN run_session_totals USING (session_id, session_date);
