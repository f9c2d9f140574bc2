-- fail: A fact has a value in every column that its kind of event needs.
WITH
  facts AS (
    SELECT *
    FROM `${project}.${dataset}.events_fact`
    WHERE event_date BETWEEN @first_date AND @last_date
  )
SELECT finding, event_id, event_type, message_id, event_date
FROM facts
CROSS JOIN UNNEST([
  IF(event_type IN ('answer_submit', 'answer_resubmit', 'answer') AND question_id IS NULL, 'question_id', NULL),
  IF((late_status IN ('ON_TIME', 'LATE')) != (is_late_submission IS NOT NULL), 'is_late_submission', NULL),
  IF((late_status IN ('ON_TIME', 'LATE')) != (deadline_source IS NOT NULL), 'deadline_source', NULL),
  IF((late_status = 'LATE' AND deadline_ts IS NOT NULL) != (late_by_seconds IS NOT NULL), 'late_by_seconds', NULL)
]) AS finding
WHERE finding IS NOT NULL;
