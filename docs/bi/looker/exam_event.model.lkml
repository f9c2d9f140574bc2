connection: "@{connection}"
include: "sessions.view.lkml"
include: "tests.view.lkml"
include: "questions.view.lkml"
include: "answers.view.lkml"
include: "submissions.view.lkml"
include: "timeline.view.lkml"
include: "facts.view.lkml"
include: "conflicts.view.lkml"

explore: sessions {
  # Never join with dead_letters: A dead letter has no session unless it is a store error. Compare totals.
  description: "One row per session; a session belongs to the UTC date of its first event."
  always_filter: { filters: [sessions.dates: "7 days"] }
}

explore: tests {
  description: "One row per test."
  always_filter: { filters: [tests.dates: "7 days"] }
}

explore: questions {
  # Never join with sessions: A session has many questions; a join repeats its numbers. Compare per test.
  description: "One row per test and question."
  always_filter: { filters: [questions.dates: "7 days"] }
}

explore: answers {
  description: "One row per answer or resubmission, by the UTC date of the answer."
  always_filter: { filters: [answers.dates: "7 days"] }
}

explore: submissions {
  description: "One row per answer, resubmission or submitted test, by its UTC date."
  always_filter: { filters: [submissions.dates: "7 days"] }
}

explore: timeline {
  description: "One row per event, store errors included, of the sessions whose first event is on the dates."
  always_filter: { filters: [timeline.dates: "7 days"] }
}

explore: facts {
  # Never join with dead_letters: A message is in one of the two. Compare counts.
  description: "One row per message that became a fact, copies included, by the UTC date of its event."
  always_filter: { filters: [facts.dates: "7 days"] }
}

explore: conflicts {
  description: "One row per event whose copies differ, by the UTC date of the copy that counts."
  always_filter: { filters: [conflicts.dates: "7 days"] }
}
