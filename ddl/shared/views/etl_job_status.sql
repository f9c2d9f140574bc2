CREATE OR REPLACE VIEW `${project}.${dataset}.etl_job_status` (
  job_id OPTIONS (description = "Identity of the run."),
  job_name OPTIONS (description = "What ran."),
  env OPTIONS (description = "The environment that --env named; null for the one without a name."),
  status OPTIONS (description = "pending, running, completed or failed. A run that was killed stays running."),
  window_start OPTIONS (description = "Start of the window that was asked for; null for none."),
  window_end OPTIONS (description = "End of the window that was asked for; null for none."),
  started_at OPTIONS (description = "When the run started."),
  completed_at OPTIONS (description = "When the run ended; null while it runs."),
  records_processed OPTIONS (description = "Rows that the run read."),
  rows_written OPTIONS (description = "Rows that the run wrote."),
  records_failed OPTIONS (description = "Messages that the run wrote to dead_letters."),
  retry_count OPTIONS (description = "Requests that the run sent again after an outage."),
  error_message OPTIONS (description = "Why the run failed."),
  created_at OPTIONS (description = "When the run's first row was logged."),
  updated_at OPTIONS (description = "When the run's latest row was logged.")
)
OPTIONS (description = "One row per run: its latest state in etl_metadata.") AS
SELECT
  run_id AS job_id,
  pipeline_name AS job_name,
  env,
  IF(status = 'succeeded', 'completed', status) AS status,
  window_start,
  window_end,
  started_at,
  finished_at AS completed_at,
  rows_read AS records_processed,
  rows_written,
  records_failed,
  retry_count,
  error_message,
  started_at AS created_at,
  COALESCE(finished_at, started_at) AS updated_at
FROM `${project}.${dataset}.etl_metadata`
WHERE TRUE
QUALIFY ROW_NUMBER() OVER (PARTITION BY pipeline_name, run_id ORDER BY status = 'succeeded' DESC, status = 'failed' DESC, finished_at DESC) = 1;
