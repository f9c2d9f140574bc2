CREATE TABLE IF NOT EXISTS `${project}.${dataset}.lateness_settings` (
  test_id STRING OPTIONS (description = "The test that the row applies to; null for every test. One row each."),
  duration_seconds INT64 OPTIONS (description = "How long a session may last if neither the event nor its session's start says so, in seconds. Null falls back to the row for every test."),
  grace_seconds INT64 OPTIONS (description = "How long after its deadline a submission is still on time, in seconds. Null falls back to the row for every test.")
)
OPTIONS (
  description = "The constants of the lateness rule, read by the pipeline and by the view events. Filled with python -m ddl apply --lateness_settings FILE.csv."
);
