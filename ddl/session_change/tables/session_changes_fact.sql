-- Rendered from schemas/session_change/v1.avsc by python -m ddl render: do not edit.
CREATE TABLE IF NOT EXISTS `${project}.${dataset}.session_changes_fact` (
  event_type STRING NOT NULL OPTIONS (description = "What happened."),
  session_id STRING NOT NULL OPTIONS (description = "The session, 1 to 128 characters."),
  expiry_ts TIMESTAMP NOT NULL OPTIONS (description = "When the session expires, UTC; for delete, when it would have expired, or when it was deleted where that is not known. Its date is the partition, so that a session's changes lie near its events."),
  op STRING NOT NULL OPTIONS (description = "upsert: the session expires at expiry_ts; delete: the database has it no more, and the last upsert stands."),
  version_ts TIMESTAMP NOT NULL OPTIONS (description = "When the change took effect, UTC: the commit time where it is known, else the time of the snapshot that showed it."),
  position INT64 OPTIONS (description = "Place of the change among those of one transaction, from 0; null where the source does not know."),
  event_id STRING NOT NULL OPTIONS (description = "Identity of the change, 1 to 128 characters. A change without one gets a digest of all that it says."),
  extra JSON OPTIONS (description = "Fields of the event that the contract does not know by their path, keys sorted; null where there are none."),
  event_date DATE NOT NULL OPTIONS (description = "UTC date of expiry_ts; the partition."),
  publish_ts TIMESTAMP NOT NULL OPTIONS (description = "When Pub/Sub took the message; for a file, the start of the run."),
  ingest_ts TIMESTAMP NOT NULL OPTIONS (description = "When the append that BigQuery took was sent."),
  message_id STRING NOT NULL OPTIONS (description = "Pub/Sub's id of the message; for a line of a file, its URI or absolute path and the line number."),
  pipeline_version STRING NOT NULL OPTIONS (description = "Version of the pipeline that made this row."),
  contract_version STRING OPTIONS (description = "Version of the contract that the event was read by.")
)
PARTITION BY event_date
CLUSTER BY session_id
OPTIONS (
  description = "One change of a session in the operational database, as decoded from one UTF-8 JSON message: when it expires. Fields that this contract does not know are kept beside it, as JSON.",
  labels = [("managed_by", "exam-events"), ("table_type", "fact")]
);
