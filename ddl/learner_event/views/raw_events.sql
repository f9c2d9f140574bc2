CREATE OR REPLACE TABLE FUNCTION `${project}.${dataset}.raw_events_between`(first_date DATE, last_date DATE) AS
SELECT
  event_id,
  learner_id,
  session_id,
  event_type,
  timestamp,
  data,
  metadata,
  version,
  event_date AS partition_date,
  processed_at,
  IF(REGEXP_CONTAINS(message_id, r':[0-9]{9}$$'), REGEXP_REPLACE(message_id, r':[0-9]{9}$$', ''), NULL) AS source_path,
  processed_at AS created_at
FROM `${project}.${dataset}.learner_events_between`(first_date, last_date);

CREATE OR REPLACE VIEW `${project}.${dataset}.raw_events` (
  event_id,
  learner_id,
  session_id,
  event_type,
  timestamp,
  data,
  metadata,
  version,
  partition_date OPTIONS (description = "UTC date of timestamp."),
  processed_at,
  source_path OPTIONS (description = "The file that the event was read from; null where it came by Pub/Sub."),
  created_at OPTIONS (description = "When the row was written: processed_at.")
)
OPTIONS (description = "One row per learner event: of its copies of one date, the one published first.") AS
SELECT *
FROM `${project}.${dataset}.raw_events_between`(DATE '${earliest_date}', DATE '${latest_date}');
