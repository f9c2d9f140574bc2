connection: "@{connection}"
include: "dead_letters.view.lkml"
include: "runs.view.lkml"
include: "jobs.view.lkml"

explore: dead_letters {
  # Never join with facts: A message is in one of the two. Compare counts.
  description: "One row per message that did not become a fact, by the UTC date on which it failed; store_error events are among them."
  always_filter: { filters: [dead_letters.dates: "7 days"] }
}

explore: runs {
  description: "One row per run, by the UTC date on which it started."
  always_filter: { filters: [runs.dates: "7 days"] }
}

explore: jobs {
  description: "One row per run that started up to the last date."
  always_filter: { filters: [jobs.dates: "7 days"] }
}
