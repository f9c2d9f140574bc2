-- Rendered from schemas/dimension_change/v1.avsc by python -m ddl render: do not edit.
CREATE TABLE IF NOT EXISTS `${project}.${dataset}.dimension_changes_fact` (
  event_type STRING NOT NULL OPTIONS (description = "What happened."),
  dimension STRING NOT NULL OPTIONS (description = "What was changed."),
  key STRING NOT NULL OPTIONS (description = "Its id as events name it (student_id, test_id, question_id), or a teacher's id; 1 to 128 characters."),
  op STRING NOT NULL OPTIONS (description = "upsert: it is as row says; delete: it is no more."),
  version_ts TIMESTAMP NOT NULL OPTIONS (description = "When the change took effect, UTC: the commit time where it is known, else the time of the snapshot that showed it."),
  position INT64 OPTIONS (description = "Place of the change among those of one transaction, from 0; null where the source does not know."),
  row JSON OPTIONS (description = "The row after the change, a JSON object of its mapped columns; required for upsert."),
  private_row JSON OPTIONS (description = "Names, e-mail and what else the mapping calls private, a JSON object; shown by no view."),
  row_hash STRING OPTIONS (description = "Digest of row and private_row, 1 to 128 characters, by which a source finds what has changed."),
  event_id STRING NOT NULL OPTIONS (description = "Identity of the change, 1 to 128 characters. A change without one gets a digest of all that it says."),
  extra JSON OPTIONS (description = "Fields of the event that the contract does not know by their path, keys sorted; null where there are none."),
  event_date DATE NOT NULL OPTIONS (description = "UTC date of publish_ts; the partition."),
  publish_ts TIMESTAMP NOT NULL OPTIONS (description = "When Pub/Sub took the message; for a file, the start of the run."),
  ingest_ts TIMESTAMP NOT NULL OPTIONS (description = "When the append that BigQuery took was sent."),
  message_id STRING NOT NULL OPTIONS (description = "Pub/Sub's id of the message; for a line of a file, its URI or absolute path and the line number."),
  pipeline_version STRING NOT NULL OPTIONS (description = "Version of the pipeline that made this row."),
  contract_version STRING OPTIONS (description = "Version of the contract that the event was read by.")
)
PARTITION BY event_date
CLUSTER BY dimension, key
OPTIONS (
  description = "One change of a student, teacher, test or question, as decoded from one UTF-8 JSON message. Messages with fields that this contract does not know are refused: names and e-mail belong in private_row.",
  labels = [("managed_by", "exam-events"), ("table_type", "fact")]
);
