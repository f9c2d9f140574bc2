-- Rendered from schemas/learner_event/v1.avsc by python -m ddl render: do not edit.
-- Copies of an event have one event_date, so that a filter on it prunes.
CREATE OR REPLACE TABLE FUNCTION `${project}.${dataset}.learner_events_between`(first_date DATE, last_date DATE) AS
SELECT
  event_type,
  event_id,
  learner_id,
  session_id,
  timestamp,
  version,
  data,
  metadata,
  extra,
  event_date,
  publish_ts,
  processed_at,
  message_id,
  pipeline_version,
  contract_version
FROM `${project}.${dataset}.learner_events_fact`
WHERE event_date BETWEEN first_date AND last_date
QUALIFY ROW_NUMBER() OVER (PARTITION BY event_date, event_id ORDER BY publish_ts, message_id, processed_at) = 1;

-- A column without OPTIONS has the description of the column of learner_events_fact.
CREATE OR REPLACE VIEW `${project}.${dataset}.learner_events` (
  event_type,
  event_id,
  learner_id,
  session_id,
  timestamp,
  version,
  data,
  metadata,
  extra,
  event_date,
  publish_ts,
  processed_at,
  message_id,
  pipeline_version,
  contract_version
)
OPTIONS (description = "One row per event: of its copies, the one published first.") AS
SELECT *
FROM `${project}.${dataset}.learner_events_between`(DATE '${earliest_date}', DATE '${latest_date}');
