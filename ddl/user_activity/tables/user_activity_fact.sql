-- Rendered from schemas/user_activity/v1.avsc by python -m ddl render: do not edit.
CREATE TABLE IF NOT EXISTS `${project}.${dataset}.user_activity_fact` (
  event_type STRING NOT NULL OPTIONS (description = "Always user_activity; what the user did is activity_type."),
  user_id STRING NOT NULL OPTIONS (description = "The user, 1 to 128 characters."),
  activity_type STRING NOT NULL OPTIONS (description = "What the user did."),
  ip_address STRING NOT NULL OPTIONS (description = "Network address of the user's device, 1 to 128 characters."),
  user_agent STRING NOT NULL OPTIONS (description = "Browser or app as it names itself, 1 to 1,024 characters."),
  timestamp TIMESTAMP NOT NULL OPTIONS (description = "Event time by the device's clock, UTC. RFC 3339 with an offset or Z in the message; digits past the microsecond are cut."),
  metadata STRUCT<
    session_id STRING OPTIONS (description = "One visit of the user, from login to logout, 1 to 128 characters."),
    platform STRING OPTIONS (description = "What kind of device the user has.")
  > NOT NULL OPTIONS (description = "The circumstances of the activity."),
  event_id STRING NOT NULL OPTIONS (description = "Identity of the event, 1 to 128 characters. Two messages with one event_id are copies of one event. An event without one gets a digest of all that it says."),
  extra JSON OPTIONS (description = "Fields of the event that the contract does not know by their path, keys sorted; null where there are none."),
  event_date DATE NOT NULL OPTIONS (description = "UTC date of timestamp; the partition."),
  publish_ts TIMESTAMP NOT NULL OPTIONS (description = "When Pub/Sub took the message; for a file, the start of the run."),
  processed_timestamp TIMESTAMP NOT NULL OPTIONS (description = "When the append that BigQuery took was sent."),
  message_id STRING NOT NULL OPTIONS (description = "Pub/Sub's id of the message; for a line of a file, its URI or absolute path and the line number."),
  pipeline_version STRING NOT NULL OPTIONS (description = "Version of the pipeline that made this row."),
  contract_version STRING OPTIONS (description = "Version of the contract that the event was read by.")
)
PARTITION BY event_date
CLUSTER BY user_id, activity_type
OPTIONS (
  description = "One thing that a signed-in user did in the shop, as decoded from one UTF-8 JSON message. Fields that this contract does not know are kept beside it, as JSON.",
  partition_expiration_days = 90,
  labels = [("managed_by", "exam-events"), ("table_type", "fact")]
);
