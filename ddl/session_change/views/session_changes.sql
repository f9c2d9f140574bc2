-- Rendered from schemas/session_change/v1.avsc by python -m ddl render: do not edit.
-- Copies of an event have one event_date, so that a filter on it prunes.
CREATE OR REPLACE TABLE FUNCTION `${project}.${dataset}.session_changes_between`(first_date DATE, last_date DATE) AS
SELECT
  event_type,
  session_id,
  expiry_ts,
  op,
  version_ts,
  position,
  event_id,
  extra,
  event_date,
  publish_ts,
  ingest_ts,
  message_id,
  pipeline_version,
  contract_version
FROM `${project}.${dataset}.session_changes_fact`
WHERE event_date BETWEEN first_date AND last_date
QUALIFY ROW_NUMBER() OVER (PARTITION BY event_date, event_id ORDER BY publish_ts, message_id, ingest_ts) = 1;

-- A column without OPTIONS has the description of the column of session_changes_fact.
CREATE OR REPLACE VIEW `${project}.${dataset}.session_changes` (
  event_type,
  session_id,
  expiry_ts,
  op,
  version_ts,
  position,
  event_id,
  extra,
  event_date,
  publish_ts,
  ingest_ts,
  message_id,
  pipeline_version,
  contract_version
)
OPTIONS (description = "One row per event: of its copies, the one published first.") AS
SELECT *
FROM `${project}.${dataset}.session_changes_between`(DATE '${earliest_date}', DATE '${latest_date}');
