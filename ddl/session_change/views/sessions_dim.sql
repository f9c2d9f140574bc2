-- The sessions whose expiry falls on the dates or on the margin on either side: those of the events
-- of the dates, unless they lie further off, which the check far_apart counts. A delete changes
-- nothing: what happened in a session stays.
CREATE OR REPLACE TABLE FUNCTION `${project}.${dataset}.sessions_dim_with_margin`(first_date DATE, last_date DATE) AS
WITH
  changes AS (
    SELECT *
    FROM `${project}.${dataset}.session_changes_fact`
    WHERE event_date BETWEEN DATE_SUB(first_date, INTERVAL ${margin_days} DAY) AND DATE_ADD(last_date, INTERVAL ${margin_days} DAY)
    QUALIFY ROW_NUMBER() OVER (PARTITION BY event_id ORDER BY publish_ts, message_id, ingest_ts) = 1
  )
SELECT session_id, expiry_ts, version_ts, event_date
FROM changes
WHERE op = 'upsert'
QUALIFY ROW_NUMBER() OVER (
  PARTITION BY session_id
  ORDER BY version_ts DESC, COALESCE(position, 0) DESC, publish_ts DESC, event_id DESC
) = 1;

CREATE OR REPLACE TABLE FUNCTION `${project}.${dataset}.sessions_dim_between`(first_date DATE, last_date DATE) AS
SELECT *
FROM `${project}.${dataset}.sessions_dim_with_margin`(first_date, last_date)
WHERE event_date BETWEEN first_date AND last_date;

CREATE OR REPLACE VIEW `${project}.${dataset}.sessions_dim` (
  session_id,
  expiry_ts OPTIONS (description = "When the session expires, as the operational database has it by now."),
  version_ts OPTIONS (description = "When that took effect."),
  event_date OPTIONS (description = "UTC date of expiry_ts.")
)
OPTIONS (description = "One row per session of the operational database: its latest upsert.") AS
SELECT *
FROM `${project}.${dataset}.sessions_dim_between`(DATE '${earliest_date}', DATE '${latest_date}');
