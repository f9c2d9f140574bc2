-- No column is required: a dead letter that the warehouse rejects would be lost.
CREATE TABLE IF NOT EXISTS `${project}.${dataset}.dead_letters` (
  failed_date DATE OPTIONS (description = "UTC date of failed_at; the partition."),
  error_kind STRING OPTIONS (description = "not_json, too_large, schema_violation, rule_violation, store_error, rejected_by_warehouse or internal_error."),
  error_message STRING OPTIONS (description = "What to fix, for the app's developer."),
  error_field STRING OPTIONS (description = "The payload field at fault, if there is a single one."),
  stage STRING OPTIONS (description = "The step of the pipeline that rejected the message."),
  event_family STRING OPTIONS (description = "The event family that the message was read as; null where it is of none."),
  event_id STRING OPTIONS (description = "Identity of the event, where it could be read."),
  source STRING OPTIONS (description = "Subscription path, or URI or path of the file."),
  message_id STRING OPTIONS (description = "Pub/Sub's id of the message; for a line of a file, its URI or absolute path and the line number."),
  publish_time TIMESTAMP OPTIONS (description = "When Pub/Sub took the message; for a file, the start of the run."),
  failed_at TIMESTAMP OPTIONS (description = "When the pipeline rejected the message."),
  pipeline_version STRING OPTIONS (description = "Version of the pipeline that made this row."),
  replay_count INT64 OPTIONS (description = "How often this message had been replayed before."),
  attributes JSON OPTIONS (description = "The Pub/Sub attributes of the message, as sent."),
  payload BYTES OPTIONS (description = "The message data, untouched; its first 1 MiB."),
  payload_size INT64 OPTIONS (description = "Size of the whole message data in bytes."),
  payload_truncated BOOL OPTIONS (description = "Whether payload is only the beginning of the message data."),
  test_id STRING OPTIONS (description = "Of a store_error event: the test."),
  student_id STRING OPTIONS (description = "Of a store_error event: the student."),
  session_id STRING OPTIONS (description = "Of a store_error event: the session."),
  question_id STRING OPTIONS (description = "Of a store_error event: the question, where it named one."),
  client_ts TIMESTAMP OPTIONS (description = "Of a store_error event: event time by the app's clock."),
  error_payload JSON OPTIONS (description = "Of a store_error event: the error object, where it carried one."),
  contract_version STRING OPTIONS (description = "Version of the contract of event_family.")
)
PARTITION BY failed_date
CLUSTER BY error_kind
OPTIONS (
  description = "Messages that did not become facts, and why; store_error events among them."
);
