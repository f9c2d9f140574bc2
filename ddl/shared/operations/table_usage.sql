-- INFORMATION_SCHEMA.TABLES has no row counts. https://cloud.google.com/bigquery/docs/information-schema-table-storage
CREATE OR REPLACE VIEW `${project}.${dataset}.table_usage` (
  event_family OPTIONS (description = "The event family of the table; null where families share it."),
  table_name OPTIONS (description = "The table."),
  total_rows OPTIONS (description = "Rows in the table, some minutes ago."),
  total_partitions OPTIONS (description = "Partitions in the table."),
  total_logical_bytes OPTIONS (description = "Uncompressed bytes of the rows."),
  long_term_logical_bytes OPTIONS (description = "Those of partitions that have not changed for 90 days; they cost less."),
  total_physical_bytes OPTIONS (description = "Compressed bytes on disk, time travel and fail-safe included."),
  last_modified OPTIONS (description = "When data was last written to the table.")
)
OPTIONS (description = "Rows and bytes of the tables of each event family.") AS
SELECT
  tables.event_family,
  storage.table_name,
  storage.total_rows,
  storage.total_partitions,
  storage.total_logical_bytes,
  storage.long_term_logical_bytes,
  storage.total_physical_bytes,
  storage.storage_last_modified_time AS last_modified
FROM `${project}.${region}.INFORMATION_SCHEMA.TABLE_STORAGE` AS storage
INNER JOIN UNNEST([${tables}]) AS tables USING (table_name)
WHERE storage.table_schema = '${dataset}' AND NOT storage.deleted;
