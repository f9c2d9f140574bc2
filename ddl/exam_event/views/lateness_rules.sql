CREATE OR REPLACE VIEW `${project}.${dataset}.lateness_rules` (
  test_id OPTIONS (description = "The test that the row applies to; null for every test."),
  duration_seconds OPTIONS (description = "How long a session may last if neither the event nor its session's start says so, in seconds: of lateness_settings, else of tests_dim, where it is a duration of at most a week. Null falls back to the row for every test."),
  grace_seconds OPTIONS (description = "How long after its deadline a submission is still on time, in seconds. Null falls back to the row for every test.")
)
OPTIONS (description = "The constants of the lateness rule, read by the pipeline and by the view events: lateness_settings, completed by the durations of tests_dim.") AS
SELECT
  test_id,
  COALESCE(settings.duration_seconds, tests.duration_seconds) AS duration_seconds,
  settings.grace_seconds
FROM `${project}.${dataset}.lateness_settings` AS settings
FULL JOIN (
  SELECT test_id, duration_seconds
  FROM `${project}.${dataset}.tests_dim`
  WHERE duration_seconds BETWEEN 1 AND 604800
) AS tests USING (test_id);
