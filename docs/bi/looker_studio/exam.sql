-- Enable date range parameters in the data source; put in your PROJECT.DATASET.

-- At a glance
SELECT
  COUNT(*) AS sessions,
  COUNTIF(is_complete) AS completed_sessions,
  SUM(total_answers_submitted) AS answers,
  SAFE_DIVIDE(SUM(final_correct_answers), SUM(final_correct_answers) + SUM(final_wrong_answers)) AS accuracy,
  SUM(late_submissions) AS late_submissions,
  AVG(duration_seconds) AS duration
FROM `PROJECT.DATASET.session_summary_between`(PARSE_DATE('%Y%m%d', @DS_START_DATE), PARSE_DATE('%Y%m%d', @DS_END_DATE))
LIMIT 1001;

-- Sessions started by hour
SELECT
  TIMESTAMP_TRUNC(session_start_time, HOUR, 'UTC') AS start_hour,
  COUNT(*) AS sessions
FROM `PROJECT.DATASET.session_summary_between`(PARSE_DATE('%Y%m%d', @DS_START_DATE), PARSE_DATE('%Y%m%d', @DS_END_DATE))
WHERE TIMESTAMP_TRUNC(session_start_time, HOUR, 'UTC') IS NOT NULL
GROUP BY 1
ORDER BY start_hour
LIMIT 1001;

-- Sessions completed by hour
SELECT
  TIMESTAMP_TRUNC(session_end_time, HOUR, 'UTC') AS end_hour,
  COUNT(*) AS sessions
FROM `PROJECT.DATASET.session_summary_between`(PARSE_DATE('%Y%m%d', @DS_START_DATE), PARSE_DATE('%Y%m%d', @DS_END_DATE))
WHERE TIMESTAMP_TRUNC(session_end_time, HOUR, 'UTC') IS NOT NULL
GROUP BY 1
ORDER BY end_hour
LIMIT 1001;

-- Questions with the most wrong answers
SELECT
  test_id,
  question_id,
  SUM(wrong_answers) AS wrong_answers,
  SUM(correct_answers) AS correct_answers,
  SUM(total_attempts) AS attempts,
  COALESCE(SAFE_DIVIDE(SUM(wrong_answers), SUM(total_attempts)), 0) AS wrong_rate,
  SUM(total_resubmits) AS resubmits
FROM `PROJECT.DATASET.question_summary_between`(PARSE_DATE('%Y%m%d', @DS_START_DATE), PARSE_DATE('%Y%m%d', @DS_END_DATE))
GROUP BY 1, 2
ORDER BY wrong_answers DESC, test_id, question_id
LIMIT 1001;

-- Answers given to the question
-- Needs the parameter question_id, a text.
SELECT
  answer,
  is_correct_answer,
  COUNT(*) AS answers,
  COUNT(DISTINCT session_id) AS sessions
FROM `PROJECT.DATASET.events_between`(PARSE_DATE('%Y%m%d', @DS_START_DATE), PARSE_DATE('%Y%m%d', @DS_END_DATE))
WHERE event_type IN ('answer_submit', 'answer_resubmit')
  AND question_id = @question_id
GROUP BY 1, 2
ORDER BY answers DESC, answer, is_correct_answer
LIMIT 1001;

-- How accurate the sessions are
SELECT
  LEAST(DIV(10 * final_correct_answers, NULLIF(final_correct_answers + final_wrong_answers, 0)), 9) / 10 AS accuracy_band,
  COUNT(*) AS sessions
FROM `PROJECT.DATASET.session_summary_between`(PARSE_DATE('%Y%m%d', @DS_START_DATE), PARSE_DATE('%Y%m%d', @DS_END_DATE))
WHERE LEAST(DIV(10 * final_correct_answers, NULLIF(final_correct_answers + final_wrong_answers, 0)), 9) / 10 IS NOT NULL
GROUP BY 1
ORDER BY accuracy_band
LIMIT 1001;

-- Late submissions by test
SELECT
  test_id,
  COUNTIF(late_status = 'LATE') AS late,
  COUNTIF(late_status = 'LATE') / COUNT(*) AS late_share,
  APPROX_QUANTILES(late_by_seconds, 100)[SAFE_OFFSET(50)] AS typical_lateness,
  MAX(late_by_seconds) AS worst_lateness,
  COUNT(*) AS submissions,
  COUNTIF(late_status = 'UNKNOWN') AS unknown
FROM `PROJECT.DATASET.events_between`(PARSE_DATE('%Y%m%d', @DS_START_DATE), PARSE_DATE('%Y%m%d', @DS_END_DATE))
WHERE event_type IN ('answer_submit', 'answer_resubmit', 'test_submit')
GROUP BY 1
ORDER BY late DESC, test_id
LIMIT 1001;

-- From start to submission, by test
SELECT
  test_id,
  COUNTIF(session_start_time IS NOT NULL) AS started_sessions,
  COUNTIF(total_answers_submitted > 0) AS answering_sessions,
  SUM(test_submit_flag) AS submitted_sessions,
  COUNTIF(is_complete) AS completed_sessions,
  SAFE_DIVIDE(SUM(final_correct_answers), SUM(final_correct_answers) + SUM(final_wrong_answers)) AS accuracy
FROM `PROJECT.DATASET.session_summary_between`(PARSE_DATE('%Y%m%d', @DS_START_DATE), PARSE_DATE('%Y%m%d', @DS_END_DATE))
GROUP BY 1
ORDER BY started_sessions DESC, test_id
LIMIT 1001;

-- Sessions of the test
-- Needs the parameter test_id, a text.
SELECT
  session_id,
  session_start_time AS started,
  AVG(duration_seconds) AS duration,
  SUM(total_answers_submitted) AS answers,
  SAFE_DIVIDE(SUM(final_correct_answers), SUM(final_correct_answers) + SUM(final_wrong_answers)) AS accuracy,
  SUM(late_submissions) AS late_submissions,
  COUNTIF(is_complete) AS completed_sessions
FROM `PROJECT.DATASET.session_summary_between`(PARSE_DATE('%Y%m%d', @DS_START_DATE), PARSE_DATE('%Y%m%d', @DS_END_DATE))
WHERE test_id = @test_id
GROUP BY 1, 2
ORDER BY started DESC, session_id
LIMIT 1001;

-- What happened in the session
-- Needs the parameter session_id, a text.
SELECT
  client_ts,
  event_type,
  question_id,
  is_correct_answer,
  is_late_submission,
  COUNT(*) AS events
FROM `PROJECT.DATASET.session_events_between`(PARSE_DATE('%Y%m%d', @DS_START_DATE), PARSE_DATE('%Y%m%d', @DS_END_DATE))
WHERE session_id = @session_id
GROUP BY 1, 2, 3, 4, 5
ORDER BY client_ts, event_type, question_id
LIMIT 1001;
