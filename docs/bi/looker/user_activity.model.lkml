connection: "@{connection}"
include: "activity.view.lkml"
include: "user_steps.view.lkml"

explore: activity {
  # Never join with orders: A step names no order. Compare totals.
  description: "One row per thing that a signed-in user did."
  always_filter: { filters: [activity.dates: "7 days"] }
}

explore: user_steps {
  # Never join with activity: A day's users and those of several days overlap. Compare them.
  description: "One row per day with activity and step."
  always_filter: { filters: [user_steps.dates: "7 days"] }
}
