-- Rendered from schemas/learner_event/v1.avsc by python -m ddl render: do not edit.
-- A conflict belongs to the date of the copy that was published first. As the JSON text of a
-- STRUCT, null is a value like any other, and JSON, records and arrays can be compared.
CREATE OR REPLACE TABLE FUNCTION `${project}.${dataset}.learner_events_conflicts_between`(first_date DATE, last_date DATE) AS
WITH
  copies AS (
    SELECT
      event_id,
      ARRAY_AGG(event_date ORDER BY publish_ts, message_id, processed_at LIMIT 1)[OFFSET(0)] AS event_date,
      COUNT(DISTINCT message_id) AS copies,
      MIN(publish_ts) AS first_publish_ts,
      MAX(publish_ts) AS last_publish_ts,
      [
        IF(COUNT(DISTINCT TO_JSON_STRING(STRUCT(event_type))) > 1, 'event_type', NULL),
        IF(COUNT(DISTINCT TO_JSON_STRING(STRUCT(learner_id))) > 1, 'learner_id', NULL),
        IF(COUNT(DISTINCT TO_JSON_STRING(STRUCT(session_id))) > 1, 'session_id', NULL),
        IF(COUNT(DISTINCT TO_JSON_STRING(STRUCT(timestamp))) > 1, 'timestamp', NULL),
        IF(COUNT(DISTINCT TO_JSON_STRING(STRUCT(version))) > 1, 'version', NULL),
        IF(COUNT(DISTINCT TO_JSON_STRING(STRUCT(data))) > 1, 'data', NULL),
        IF(COUNT(DISTINCT TO_JSON_STRING(STRUCT(metadata))) > 1, 'metadata', NULL),
        IF(COUNT(DISTINCT TO_JSON_STRING(STRUCT(extra))) > 1, 'extra', NULL)
      ] AS fields
    FROM `${project}.${dataset}.learner_events_fact`
    WHERE event_date BETWEEN DATE_SUB(first_date, INTERVAL ${margin_days} DAY) AND DATE_ADD(last_date, INTERVAL ${margin_days} DAY)
    GROUP BY event_id
  ),
  conflicts AS (
    SELECT
      * EXCEPT (fields),
      ARRAY(SELECT field FROM UNNEST(fields) AS field WITH OFFSET AS position WHERE field IS NOT NULL ORDER BY position) AS differing_fields
    FROM copies
    WHERE event_date BETWEEN first_date AND last_date
  )
SELECT *
FROM conflicts
WHERE ARRAY_LENGTH(differing_fields) > 0;

CREATE OR REPLACE VIEW `${project}.${dataset}.learner_events_conflicts` (
  event_id OPTIONS (description = "The event_id that the copies share."),
  event_date OPTIONS (description = "UTC date of timestamp of the copy that was published first."),
  copies OPTIONS (description = "Number of messages with this event_id."),
  first_publish_ts OPTIONS (description = "When Pub/Sub took the first copy."),
  last_publish_ts OPTIONS (description = "When Pub/Sub took the last copy."),
  differing_fields OPTIONS (description = "Fields of the contract, or extra, in which the copies differ, in the order of the contract.")
)
OPTIONS (description = "Events whose copies differ in any field of the contract or in extra, and in which.") AS
SELECT *
FROM `${project}.${dataset}.learner_events_conflicts_between`(DATE '${earliest_date}', DATE '${latest_date}');
