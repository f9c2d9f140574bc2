-- key: session_id
-- level: 1
CREATE TABLE IF NOT EXISTS `${project}.${dataset}.sessions_fact` (
  session_id STRING NOT NULL OPTIONS (description = "One sitting of one student at one test."),
  session_date DATE NOT NULL OPTIONS (description = "UTC date of the session's first event; the partition."),
  test_id STRING NOT NULL OPTIONS (description = "The test of the session: that of its first event."),
  student_id STRING NOT NULL OPTIONS (description = "The student of the session: that of its first event."),
  session_start_time TIMESTAMP OPTIONS (description = "client_ts of the earliest session_start; null where none has arrived."),
  session_end_time TIMESTAMP OPTIONS (description = "client_ts of the latest session_end; null where none has arrived."),
  effective_session_end_time TIMESTAMP OPTIONS (description = "session_end_time, else client_ts of the last event, store errors included."),
  duration_seconds FLOAT64 OPTIONS (description = "Seconds from session_start_time to effective_session_end_time; 0 where negative, null without a start."),
  is_complete BOOL OPTIONS (description = "Whether both a session_start and a session_end have arrived."),
  total_page_views INT64 OPTIONS (description = "Number of page_view events."),
  total_answers_submitted INT64 OPTIONS (description = "Number of answer_submit and answer_resubmit events."),
  total_resubmits INT64 OPTIONS (description = "Number of answer_resubmit events."),
  total_store_errors INT64 OPTIONS (description = "Number of store_error events; each event_id counts once over all sessions."),
  test_submit_flag INT64 OPTIONS (description = "1 where the test was submitted, else 0."),
  correct_answers INT64 OPTIONS (description = "Number of correct first submissions, as the app graded."),
  wrong_answers INT64 OPTIONS (description = "Number of wrong first submissions, as the app graded."),
  final_correct_answers INT64 OPTIONS (description = "Number of questions whose last answer is correct, as the app graded."),
  final_wrong_answers INT64 OPTIONS (description = "Number of questions whose last answer is wrong, as the app graded."),
  late_submissions INT64 OPTIONS (description = "Number of submissions after their deadline and grace period."),
  began TIMESTAMP NOT NULL OPTIONS (description = "session_start_time, else first_event_time."),
  first_event_time TIMESTAMP NOT NULL OPTIONS (description = "client_ts of the first event, store errors included."),
  last_event_time TIMESTAMP NOT NULL OPTIONS (description = "client_ts of the last event, store errors included."),
  last_test_submit_time TIMESTAMP OPTIONS (description = "client_ts of the last test_submit."),
  completion_status STRING OPTIONS (description = "completion_status of the last test_submit: completed where it does not say, null where there is none."),
  student_key INT64 OPTIONS (description = "The version of the student in students_dim when the session began; null where it is not known."),
  school_id STRING OPTIONS (description = "school_id of that version."),
  teacher_id STRING OPTIONS (description = "teacher_id of that version."),
  test_teacher_id STRING OPTIONS (description = "Whose test it is, by tests_dim."),
  created_at TIMESTAMP NOT NULL OPTIONS (description = "When the run that first wrote the row began."),
  updated_at TIMESTAMP NOT NULL OPTIONS (description = "When the run that last changed the row began.")
)
PARTITION BY session_date
CLUSTER BY test_id, student_id
OPTIONS (
  description = "One row per session, incomplete ones included: the rows of the view sessions_fact_live.",
  labels = [("managed_by", "exam-events"), ("table_type", "stored")]
);

SELECT
  session.session_id,
  session.session_date,
  session.test_id,
  session.student_id,
  session.session_start_time,
  session.session_end_time,
  session.effective_session_end_time,
  session.duration_seconds,
  session.is_complete,
  session.total_page_views,
  session.total_answers_submitted,
  session.total_resubmits,
  session.total_store_errors,
  session.test_submit_flag,
  session.correct_answers,
  session.wrong_answers,
  session.final_correct_answers,
  session.final_wrong_answers,
  session.late_submissions,
  session.began,
  session.first_event_time,
  session.last_event_time,
  session.last_test_submit_time,
  session.completion_status,
  student.student_key,
  student.school_id,
  student.teacher_id,
  test.test_teacher_id
FROM ${session_totals} AS session
LEFT JOIN `${project}.${dataset}.students_dim` AS student
  ON student.student_id = session.student_id
    AND student.valid_from <= session.began
    AND (student.valid_to IS NULL OR session.began < student.valid_to)
LEFT JOIN `${project}.${dataset}.tests_dim` AS test ON test.test_id = session.test_id
