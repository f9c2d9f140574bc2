-- fail: Every value of a fact lies within what the contract and the column's description allow.
WITH
  facts AS (
    SELECT *
    FROM `${project}.${dataset}.events_fact`
    WHERE event_date BETWEEN @first_date AND @last_date
  )
SELECT finding, event_id, event_type, message_id, event_date
FROM facts
CROSS JOIN UNNEST([
  IF(CHAR_LENGTH(event_id) NOT BETWEEN 1 AND 128, 'event_id', NULL),
  IF(CHAR_LENGTH(test_id) NOT BETWEEN 1 AND 128, 'test_id', NULL),
  IF(CHAR_LENGTH(student_id) NOT BETWEEN 1 AND 128, 'student_id', NULL),
  IF(CHAR_LENGTH(session_id) NOT BETWEEN 1 AND 128, 'session_id', NULL),
  IF(CHAR_LENGTH(question_id) NOT BETWEEN 1 AND 128, 'question_id', NULL),
  IF(CHAR_LENGTH(answer) > 8192, 'answer', NULL),
  IF(attempt_no NOT BETWEEN 1 AND 2147483647, 'attempt_no', NULL),
  IF(session_duration_seconds NOT BETWEEN 1 AND 604800, 'session_duration_seconds', NULL),
  IF(EXTRACT(YEAR FROM session_start_ts AT TIME ZONE 'UTC') NOT BETWEEN 1970 AND 2100, 'session_start_ts', NULL),
  IF(EXTRACT(YEAR FROM session_expiry_ts AT TIME ZONE 'UTC') NOT BETWEEN 1970 AND 2100, 'session_expiry_ts', NULL),
  IF(session_expiry_ts <= session_start_ts, 'session_expiry_ts', NULL),
  IF(event_date != DATE(client_ts, 'UTC'), 'event_date', NULL),
  IF(late_by_seconds <= 0, 'late_by_seconds', NULL),
  IF(
    event_type NOT IN ('session_start', 'session_end', 'page_view', 'answer_submit', 'answer_resubmit', 'answer', 'test_submit'),
    'event_type',
    NULL
  ),
  IF(
    (event_type IN ('answer_submit', 'answer_resubmit', 'answer', 'test_submit') AND late_status NOT IN ('ON_TIME', 'LATE', 'UNKNOWN'))
    OR (event_type NOT IN ('answer_submit', 'answer_resubmit', 'answer', 'test_submit') AND late_status != 'NOT_APPLICABLE'),
    'late_status',
    NULL
  ),
  IF(
    deadline_source NOT IN ('payload', 'session', 'test', 'default', 'mixed', 'client'),
    'deadline_source',
    NULL
  ),
  IF(completion_status NOT IN ('completed', 'incomplete'), 'completion_status', NULL)
]) AS finding
WHERE finding IS NOT NULL;
