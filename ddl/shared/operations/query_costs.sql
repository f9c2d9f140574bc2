-- https://cloud.google.com/bigquery/docs/information-schema-jobs
CREATE OR REPLACE VIEW `${project}.${dataset}.query_costs` (
  query_date OPTIONS (description = "UTC date on which the query was started; BigQuery keeps 180 days."),
  event_family OPTIONS (description = "The event family of the table; null where families share it."),
  table_name OPTIONS (description = "The table that was read, by itself or through views. A query of several tables counts for each."),
  user_email OPTIONS (description = "Who ran the queries."),
  queries OPTIONS (description = "Number of queries, those answered from the cache aside: BigQuery does not report their tables."),
  bytes_processed OPTIONS (description = "Bytes that the queries read, from all of their tables."),
  bytes_billed OPTIONS (description = "Bytes that are billed on demand, for all of their tables."),
  slot_ms OPTIONS (description = "Milliseconds of slots that the queries took.")
)
OPTIONS (description = "Queries of the tables of each event family by day and account, and what they read.") AS
SELECT
  DATE(jobs.creation_time, 'UTC') AS query_date,
  tables.event_family,
  tables.table_name,
  jobs.user_email,
  COUNT(*) AS queries,
  SUM(jobs.total_bytes_processed) AS bytes_processed,
  SUM(jobs.total_bytes_billed) AS bytes_billed,
  SUM(jobs.total_slot_ms) AS slot_ms
FROM `${project}.${region}.INFORMATION_SCHEMA.JOBS` AS jobs
CROSS JOIN UNNEST(jobs.referenced_tables) AS referenced
INNER JOIN UNNEST([${tables}]) AS tables ON tables.table_name = referenced.table_id
WHERE
  jobs.job_type = 'QUERY'
  -- A script's statements are jobs of their own.
  AND jobs.statement_type != 'SCRIPT'
  AND referenced.project_id = '${project}'
  AND referenced.dataset_id = '${dataset}'
GROUP BY query_date, event_family, table_name, user_email;
