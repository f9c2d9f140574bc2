-- What session_summary and sessions_fact have in common.
CREATE OR REPLACE TABLE FUNCTION `${project}.${dataset}.session_totals_between`(first_date DATE, last_date DATE) AS
WITH
  sessions AS (
    SELECT
      session_id,
      ANY_VALUE(test_id) AS test_id,
      ANY_VALUE(student_id) AS student_id,
      ANY_VALUE(session_date) AS session_date,
      MIN(client_ts) AS first_event_time,
      MAX(IF(event_type = 'test_submit', client_ts, NULL)) AS last_test_submit_time,
      MAX(IF(is_last_test_submit, COALESCE(completion_status, 'completed'), NULL)) AS completion_status,
      MIN(IF(event_type = 'session_start', client_ts, NULL)) AS session_start_time,
      MAX(IF(event_type = 'session_end', client_ts, NULL)) AS session_end_time,
      MAX(client_ts) AS last_event_time,
      COUNTIF(event_type = 'page_view') AS total_page_views,
      COUNTIF(is_answer) AS total_answers_submitted,
      COUNTIF(event_type = 'answer_resubmit') AS total_resubmits,
      COUNTIF(event_type = 'store_error') AS total_store_errors,
      IF(COUNTIF(event_type = 'test_submit') > 0, 1, 0) AS test_submit_flag,
      COUNTIF(event_type = 'answer_submit' AND is_correct_answer) AS correct_answers,
      COUNTIF(event_type = 'answer_submit' AND NOT is_correct_answer) AS wrong_answers,
      COUNTIF(is_last_answer AND is_correct_answer) AS final_correct_answers,
      COUNTIF(is_last_answer AND NOT is_correct_answer) AS final_wrong_answers,
      COUNTIF(is_late_submission) AS late_submissions
    FROM `${project}.${dataset}.session_events_between`(first_date, last_date)
    GROUP BY session_id
  ),
  ended AS (
    SELECT *, COALESCE(session_end_time, last_event_time) AS effective_session_end_time
    FROM sessions
  )
SELECT
  session_id,
  session_date,
  test_id,
  student_id,
  COALESCE(session_start_time, first_event_time) AS began,
  first_event_time,
  last_event_time,
  last_test_submit_time,
  completion_status,
  session_start_time,
  session_end_time,
  effective_session_end_time,
  -- IF keeps null for a session without a start, which GREATEST does not in every engine.
  IF(
    effective_session_end_time < session_start_time,
    0,
    TIMESTAMP_DIFF(effective_session_end_time, session_start_time, MICROSECOND) / 1000000
  ) AS duration_seconds,
  session_start_time IS NOT NULL AND session_end_time IS NOT NULL AS is_complete,
  total_page_views,
  total_answers_submitted,
  total_resubmits,
  total_store_errors,
  test_submit_flag,
  correct_answers,
  wrong_answers,
  final_correct_answers,
  final_wrong_answers,
  late_submissions
FROM ended;

CREATE OR REPLACE TABLE FUNCTION `${project}.${dataset}.session_summary_between`(first_date DATE, last_date DATE) AS
SELECT * EXCEPT (session_date, began, first_event_time, last_event_time, last_test_submit_time, completion_status)
FROM `${project}.${dataset}.session_totals_between`(first_date, last_date);

CREATE OR REPLACE VIEW `${project}.${dataset}.session_summary` (
  session_id OPTIONS (description = "One sitting of one student at one test."),
  test_id OPTIONS (description = "The test of the session: that of its first event."),
  student_id OPTIONS (description = "The student of the session: that of its first event."),
  session_start_time OPTIONS (description = "client_ts of the earliest session_start; null where none has arrived."),
  session_end_time OPTIONS (description = "client_ts of the latest session_end; null where none has arrived."),
  effective_session_end_time OPTIONS (description = "session_end_time, else client_ts of the last event, store errors included."),
  duration_seconds OPTIONS (description = "Seconds from session_start_time to effective_session_end_time, to the microsecond; 0 where negative, null without a start."),
  is_complete OPTIONS (description = "Whether both a session_start and a session_end have arrived."),
  total_page_views OPTIONS (description = "Number of page_view events."),
  total_answers_submitted OPTIONS (description = "Number of answer_submit and answer_resubmit events."),
  total_resubmits OPTIONS (description = "Number of answer_resubmit events."),
  total_store_errors OPTIONS (description = "Number of store_error events; each event_id counts once over all sessions."),
  test_submit_flag OPTIONS (description = "1 where the test was submitted, else 0."),
  correct_answers OPTIONS (description = "Number of correct first submissions (answer_submit events; resubmissions are not among them)."),
  wrong_answers OPTIONS (description = "Number of wrong first submissions (answer_submit events; resubmissions are not among them)."),
  final_correct_answers OPTIONS (description = "Number of questions whose last answer, resubmissions included, is correct."),
  final_wrong_answers OPTIONS (description = "Number of questions whose last answer, resubmissions included, is wrong."),
  late_submissions OPTIONS (description = "Number of submissions after their deadline and grace period.")
)
OPTIONS (description = "One row per session, incomplete ones included.") AS
SELECT *
FROM `${project}.${dataset}.session_summary_between`(DATE '${earliest_date}', DATE '${latest_date}');
