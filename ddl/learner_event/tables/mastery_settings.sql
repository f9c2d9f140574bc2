CREATE TABLE IF NOT EXISTS `${project}.${dataset}.mastery_settings` (
  content_type STRING OPTIONS (description = "lesson, assessment or skill; null in the row for all contents. One row each."),
  content_id STRING OPTIONS (description = "The content that the row applies to; null in the row for all contents."),
  prior_mean NUMERIC OPTIONS (description = "Mastery before any evidence, 0 to 1. Null falls back to the row for all contents, and without one to 0.5."),
  prior_weight NUMERIC OPTIONS (description = "How many pieces of evidence the prior counts as, above 0. Null falls back to the row for all contents, and without one to 2.")
)
OPTIONS (
  description = "Priors of mastery by content, read by the view mastery_deltas."
);
