-- Rows are only ever added: one when a run starts, one when it ends.
CREATE TABLE IF NOT EXISTS `${project}.${dataset}.etl_metadata` (
  pipeline_name STRING OPTIONS (description = "What ran: postgres_pull, warehouse, or what these log with --start or --end, postgres_backfill and warehouse_backfill; a run of the warehouse over some tables has their names behind a colon."),
  run_id STRING OPTIONS (description = "Identity of the run; of the warehouse, of its BigQuery job too."),
  env STRING OPTIONS (description = "The environment that --env named; null for the one without a name."),
  window_start TIMESTAMP OPTIONS (description = "Start of the window: that was asked for, or, of the warehouse, by ingest_ts since the last run; null for none."),
  window_end TIMESTAMP OPTIONS (description = "End of the window that was asked for; null for none."),
  status STRING OPTIONS (description = "running, succeeded or failed."),
  started_at TIMESTAMP OPTIONS (description = "When the run started."),
  finished_at TIMESTAMP OPTIONS (description = "When the run ended; null while it runs."),
  rows_read INT64 OPTIONS (description = "Rows that the run read from its source."),
  rows_written INT64 OPTIONS (description = "Rows that the run wrote to fact tables, or inserted, changed or deleted in stored tables."),
  records_failed INT64 OPTIONS (description = "Messages that the run wrote to dead_letters."),
  bytes_processed INT64 OPTIONS (description = "Bytes that BigQuery billed the run for, where it is known."),
  retry_count INT64 OPTIONS (description = "Requests that the run sent again after an outage."),
  error_message STRING OPTIONS (description = "Why the run failed, without values of rows."),
  details JSON OPTIONS (description = "What the next run needs; of a pull next_since, system_identifier, timeline, standing_since and, of a full one, how many rows of each table are deleted; of the warehouse rows written by table, and the fingerprint of the lateness settings.")
)
CLUSTER BY pipeline_name
OPTIONS (
  description = "The log of runs, append-only. The view etl_job_status has the latest state of each."
);
