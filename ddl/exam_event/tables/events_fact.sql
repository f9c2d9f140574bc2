CREATE TABLE IF NOT EXISTS `${project}.${dataset}.events_fact` (
  event_id STRING NOT NULL OPTIONS (description = "Identity of the event. Rows with one event_id are copies of one event; the view events keeps the first."),
  event_type STRING NOT NULL OPTIONS (description = "What happened: session_start, session_end, page_view, answer_submit, answer_resubmit, test_submit or answer (of a sender that does not count attempts). store_error events are in dead_letters."),
  test_id STRING NOT NULL OPTIONS (description = "The test that is taken."),
  student_id STRING NOT NULL OPTIONS (description = "The student who takes it."),
  session_id STRING NOT NULL OPTIONS (description = "One sitting of one student at one test."),
  client_ts TIMESTAMP NOT NULL OPTIONS (description = "Event time by the app's clock."),
  question_id STRING OPTIONS (description = "The question concerned; always set for answers."),
  answer STRING OPTIONS (description = "The answer as given."),
  is_correct_answer BOOL OPTIONS (description = "Whether the answer is right; null where it is not graded."),
  attempt_no INT64 OPTIONS (description = "Attempt at this question within the session, counted by the app from 1."),
  session_start_ts TIMESTAMP OPTIONS (description = "When the session started, where this event carried it."),
  session_expiry_ts TIMESTAMP OPTIONS (description = "When the session expires, where this event carried it."),
  session_duration_seconds INT64 OPTIONS (description = "How long the session may last, in seconds, where this event carried it."),
  is_late_submission BOOL OPTIONS (description = "The pipeline's verdict: client_ts lies after the deadline and the grace period. Null where it is unknown or does not apply. The app's own verdict is client_is_late_submission."),
  error_payload JSON OPTIONS (description = "The error object of the event, where it carried one."),
  extra JSON OPTIONS (description = "Fields of the event that the contract does not know, keys sorted; null where there are none."),
  event_date DATE NOT NULL OPTIONS (description = "UTC date of client_ts; the partition."),
  publish_ts TIMESTAMP NOT NULL OPTIONS (description = "When Pub/Sub took the message; for a file, the start of the run."),
  ingest_ts TIMESTAMP NOT NULL OPTIONS (description = "When the append that BigQuery took was sent."),
  message_id STRING NOT NULL OPTIONS (description = "Pub/Sub's id of the message; for a line of a file, its URI or absolute path and the line number."),
  late_status STRING NOT NULL OPTIONS (description = "ON_TIME, LATE, UNKNOWN (no deadline and no verdict of the app) or NOT_APPLICABLE (not a submission)."),
  late_by_seconds FLOAT64 OPTIONS (description = "client_ts - deadline_ts in seconds, where the submission is late and has a deadline."),
  deadline_ts TIMESTAMP OPTIONS (description = "The deadline that client_ts was compared with, before the grace period."),
  deadline_source STRING OPTIONS (description = "Where the deadline came from: payload, session, test, default, mixed, or client (the app's own verdict stood in)."),
  client_is_late_submission BOOL OPTIONS (description = "The app's own verdict, as sent."),
  pipeline_version STRING NOT NULL OPTIONS (description = "Version of the pipeline that made this row."),
  contract_version STRING OPTIONS (description = "Version of the contract that the event was read by; null in rows older than the column."),
  completion_status STRING OPTIONS (description = "For test_submit: completed or incomplete, where the sender said so.")
)
PARTITION BY event_date
CLUSTER BY test_id, session_id, event_type
OPTIONS (
  description = "Valid exam events, one row per message received. At least once: read the view events for one row per event."
);
