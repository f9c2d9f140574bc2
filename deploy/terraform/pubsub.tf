resource "google_pubsub_topic" "events" {
  name                       = "exam-events"
  message_retention_duration = "604800s" # to seek a subscription back to before a mistake
  depends_on                 = [google_project_service.used]
}

resource "google_pubsub_topic" "dead_letters" {
  name       = "exam-events-dead"
  depends_on = [google_project_service.used]
}

# No ordering: the result does not depend on the order (docs/lateness.md), and ordering keys would
# create hot keys. No dead-letter policy of Pub/Sub: it counts deliveries, so that an outage would
# turn good messages into dead letters.
resource "google_pubsub_subscription" "events" {
  name                       = "exam-events"
  topic                      = google_pubsub_topic.events.id
  ack_deadline_seconds       = 60
  message_retention_duration = "604800s"
  expiration_policy {
    ttl = "" # never
  }
}

# Dead letters wait here to be replayed, for the longest time that Pub/Sub offers.
resource "google_pubsub_subscription" "dead_letters" {
  name                       = "exam-events-dead"
  topic                      = google_pubsub_topic.dead_letters.id
  ack_deadline_seconds       = 60
  message_retention_duration = "2678400s"
  expiration_policy {
    ttl = ""
  }
}

# The contracts, for readers. Not attached to a topic: Pub/Sub would reject plain JSON for nullable
# fields, and a rejected message never reaches the dead letters.
resource "google_pubsub_schema" "contract" {
  for_each   = local.contracts
  name       = replace(trimsuffix(trimprefix(each.key, "schemas/"), ".avsc"), "/[_/]/", "-")
  type       = "AVRO"
  definition = file("${local.repo}/${each.key}")
  depends_on = [google_project_service.used]
}
