-- Rendered from schemas/learner_event/v1.avsc by python -m ddl render: do not edit.
CREATE TABLE IF NOT EXISTS `${project}.${dataset}.learner_events_fact` (
  event_type STRING NOT NULL OPTIONS (description = "What happened."),
  event_id STRING NOT NULL OPTIONS (description = "Identity of the event, 1 to 128 characters. Two messages with one event_id are copies of one event."),
  learner_id STRING NOT NULL OPTIONS (description = "The learner, 1 to 128 characters; the student_id of the exam events."),
  session_id STRING NOT NULL OPTIONS (description = "One visit of the learner, 1 to 128 characters."),
  timestamp TIMESTAMP NOT NULL OPTIONS (description = "Event time by the device's clock, UTC. RFC 3339 with an offset or Z in the message; digits past the microsecond are cut."),
  version STRING NOT NULL OPTIONS (description = "Version of the sender's events, such as 1.0."),
  data JSON OPTIONS (description = "What the event is about, a JSON object: lesson_id (required for lesson_start and lesson_complete), assessment_id (required for assessment_start and assessment_complete), score (0 to 100), skill_ids, page_id and others by the type of event. Keys that are not listed are dropped; e-mail addresses, IP addresses and telephone numbers are replaced."),
  metadata JSON OPTIONS (description = "The circumstances, a JSON object: app_version, locale and platform. Other keys are dropped; e-mail addresses, IP addresses and telephone numbers are replaced."),
  extra JSON OPTIONS (description = "Fields of the event that the contract does not know by their path, keys sorted; null where there are none."),
  event_date DATE NOT NULL OPTIONS (description = "UTC date of timestamp; the partition."),
  publish_ts TIMESTAMP NOT NULL OPTIONS (description = "When Pub/Sub took the message; for a file, the start of the run."),
  processed_at TIMESTAMP NOT NULL OPTIONS (description = "When the append that BigQuery took was sent."),
  message_id STRING NOT NULL OPTIONS (description = "Pub/Sub's id of the message; for a line of a file, its URI or absolute path and the line number."),
  pipeline_version STRING NOT NULL OPTIONS (description = "Version of the pipeline that made this row."),
  contract_version STRING OPTIONS (description = "Version of the contract that the event was read by.")
)
PARTITION BY event_date
CLUSTER BY learner_id, event_type
OPTIONS (
  description = "One thing that a learner did on a learning platform, as decoded from one UTF-8 JSON message. Fields that this contract does not know are dropped, and so are the keys of data and metadata that schemas/learner_event/family.py does not list for the type of event.",
  partition_expiration_days = 548,
  labels = [("managed_by", "exam-events"), ("table_type", "fact")]
);
