-- fail: Every value of a fact lies within what the contract allows.
-- Private fields are left out: a pseudonym may stand in their place.
-- Rendered from schemas/learner_event/v1.avsc by python -m ddl render: do not edit.
WITH
  facts AS (
    SELECT *
    FROM `${project}.${dataset}.learner_events_fact`
    WHERE event_date BETWEEN @first_date AND @last_date
  )
SELECT finding, event_id, event_type, message_id, event_date
FROM facts
CROSS JOIN UNNEST([
  IF(event_type NOT IN ('session_start', 'session_end', 'page_view', 'interaction', 'lesson_start', 'lesson_complete', 'assessment_start', 'assessment_complete', 'error'), 'event_type', NULL),
  IF(CHAR_LENGTH(event_id) NOT BETWEEN 1 AND 128, 'event_id', NULL),
  IF(CHAR_LENGTH(session_id) NOT BETWEEN 1 AND 128, 'session_id', NULL),
  IF(NOT REGEXP_CONTAINS(version, "\\A(?:[0-9]+\\.[0-9]+)\\z"), 'version', NULL),
  IF(event_date != DATE(timestamp, 'UTC'), 'event_date', NULL)
]) AS finding
WHERE finding IS NOT NULL;
