-- fail: A column that must tell something tells it, required by the table or by what the row is.
WITH
  facts AS (
    SELECT *
    FROM `${project}.${dataset}.events_fact`
    WHERE event_date BETWEEN @first_date AND @last_date
  ),
  letters AS (
    SELECT *
    FROM `${project}.${dataset}.dead_letters`
    WHERE failed_date BETWEEN @first_date AND @last_date
  ),
  findings AS (
    SELECT what
    FROM facts
    CROSS JOIN UNNEST([
      IF(event_type IN ('answer_submit', 'answer_resubmit') AND question_id IS NULL, 'question_id', NULL),
      IF((late_status IN ('ON_TIME', 'LATE')) != (is_late_submission IS NOT NULL), 'is_late_submission', NULL),
      IF((late_status IN ('ON_TIME', 'LATE')) != (deadline_source IS NOT NULL), 'deadline_source', NULL),
      IF((late_status = 'LATE' AND deadline_ts IS NOT NULL) != (late_by_seconds IS NOT NULL), 'late_by_seconds', NULL)
    ]) AS what
    UNION ALL
    SELECT what
    FROM letters
    CROSS JOIN UNNEST([
      IF(error_kind IS NULL, 'dead_letters.error_kind', NULL),
      IF(error_message IS NULL, 'dead_letters.error_message', NULL),
      IF(message_id IS NULL, 'dead_letters.message_id', NULL),
      IF(publish_time IS NULL, 'dead_letters.publish_time', NULL),
      IF(failed_at IS NULL, 'dead_letters.failed_at', NULL),
      IF(payload_size IS NULL, 'dead_letters.payload_size', NULL),
      IF(error_kind = 'store_error' AND session_id IS NULL, 'dead_letters.session_id', NULL)
    ]) AS what
  )
SELECT what, COUNT(*) AS found
FROM findings
WHERE what IS NOT NULL
GROUP BY what;
