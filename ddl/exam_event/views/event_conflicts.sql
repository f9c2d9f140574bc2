-- A conflict belongs to the date of the copy that the view events keeps. As the JSON text of a
-- STRUCT, null is a value like any other and JSON can be compared. The contract's
-- is_late_submission is the app's own verdict, client_is_late_submission here.
--
-- Of an event made from a row of the operational PostgreSQL, session_expiry_ts and is_correct_answer
-- are left out: they come from other tables, and change without the row.
CREATE OR REPLACE TABLE FUNCTION `${project}.${dataset}.event_conflicts_between`(first_date DATE, last_date DATE) AS
WITH
  copies AS (
    SELECT
      event_id,
      ARRAY_AGG(event_date ORDER BY publish_ts, message_id, ingest_ts LIMIT 1)[OFFSET(0)] AS event_date,
      COUNT(DISTINCT message_id) AS copies,
      MIN(publish_ts) AS first_publish_ts,
      MAX(publish_ts) AS last_publish_ts,
      [
        IF(COUNT(DISTINCT TO_JSON_STRING(STRUCT(event_type))) > 1, 'event_type', NULL),
        IF(COUNT(DISTINCT TO_JSON_STRING(STRUCT(test_id))) > 1, 'test_id', NULL),
        IF(COUNT(DISTINCT TO_JSON_STRING(STRUCT(student_id))) > 1, 'student_id', NULL),
        IF(COUNT(DISTINCT TO_JSON_STRING(STRUCT(session_id))) > 1, 'session_id', NULL),
        IF(COUNT(DISTINCT TO_JSON_STRING(STRUCT(client_ts))) > 1, 'client_ts', NULL),
        IF(COUNT(DISTINCT TO_JSON_STRING(STRUCT(question_id))) > 1, 'question_id', NULL),
        IF(COUNT(DISTINCT TO_JSON_STRING(STRUCT(answer))) > 1, 'answer', NULL),
        IF(NOT is_of_row AND COUNT(DISTINCT TO_JSON_STRING(STRUCT(is_correct_answer))) > 1, 'is_correct_answer', NULL),
        IF(COUNT(DISTINCT TO_JSON_STRING(STRUCT(attempt_no))) > 1, 'attempt_no', NULL),
        IF(COUNT(DISTINCT TO_JSON_STRING(STRUCT(session_start_ts))) > 1, 'session_start_ts', NULL),
        IF(NOT is_of_row AND COUNT(DISTINCT TO_JSON_STRING(STRUCT(session_expiry_ts))) > 1, 'session_expiry_ts', NULL),
        IF(COUNT(DISTINCT TO_JSON_STRING(STRUCT(session_duration_seconds))) > 1, 'session_duration_seconds', NULL),
        IF(COUNT(DISTINCT TO_JSON_STRING(STRUCT(client_is_late_submission))) > 1, 'is_late_submission', NULL),
        IF(COUNT(DISTINCT TO_JSON_STRING(STRUCT(error_payload))) > 1, 'error_payload', NULL),
        IF(COUNT(DISTINCT TO_JSON_STRING(STRUCT(completion_status))) > 1, 'completion_status', NULL),
        IF(COUNT(DISTINCT TO_JSON_STRING(STRUCT(extra))) > 1, 'extra', NULL)
      ] AS fields
    FROM (
      SELECT
        *,
        -- As pull and capture make it: table, digest of the key, digest of what the row says.
        REGEXP_CONTAINS(event_id, r'\A(answers|submissions|sessions):[0-9a-f]{16}:[0-9a-f]{16}\z') AS is_of_row
      FROM `${project}.${dataset}.events_fact`
      WHERE event_date BETWEEN DATE_SUB(first_date, INTERVAL ${margin_days} DAY) AND DATE_ADD(last_date, INTERVAL ${margin_days} DAY)
    )
    GROUP BY event_id, is_of_row
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

CREATE OR REPLACE VIEW `${project}.${dataset}.event_conflicts` (
  event_id OPTIONS (description = "The event_id that the copies share."),
  event_date OPTIONS (description = "UTC date of client_ts of the copy that the view events keeps."),
  copies OPTIONS (description = "Number of messages with this event_id."),
  first_publish_ts OPTIONS (description = "When Pub/Sub took the first copy."),
  last_publish_ts OPTIONS (description = "When Pub/Sub took the last copy."),
  differing_fields OPTIONS (description = "Fields of the contract, or extra, in which the copies differ, in the order of the contract.")
)
OPTIONS (description = "Events whose copies differ in any field of the contract or in extra, and in which.") AS
SELECT *
FROM `${project}.${dataset}.event_conflicts_between`(DATE '${earliest_date}', DATE '${latest_date}');
