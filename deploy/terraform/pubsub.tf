resource "google_pubsub_topic" "events" {
  name                       = "exam-events"
  message_retention_duration = "604800s" # so that a subscription can be sought back to before a mistake
  depends_on                 = [google_project_service.used]
}

resource "google_pubsub_topic" "dead_letters" {
  name       = "exam-events-dead"
  depends_on = [google_project_service.used]
}

# No ordering: sessions come right in any order (docs/lateness.md), and ordered keys would make hot ones. No dead-letter
# policy of Pub/Sub's own: it counts deliveries, and an outage would make dead letters of good messages.
resource "google_pubsub_subscription" "events" {
  name                       = "exam-events"
  topic                      = google_pubsub_topic.events.id
  ack_deadline_seconds       = 60
  message_retention_duration = "604800s"
  expiration_policy {
    ttl = "" # never
  }
}

# As long as Pub/Sub can: dead letters wait here to be replayed.
resource "google_pubsub_subscription" "dead_letters" {
  name                       = "exam-events-dead"
  topic                      = google_pubsub_topic.dead_letters.id
  ack_deadline_seconds       = 60
  message_retention_duration = "2678400s"
  expiration_policy {
    ttl = ""
  }
}

# The contract, for readers. Attached to no topic: Pub/Sub would refuse plain JSON for nullable fields, and a refused
# message never reaches the dead letters.
resource "google_pubsub_schema" "exam_event_v1" {
  name       = "exam-event-v1"
  type       = "AVRO"
  definition = file("${path.module}/../../schemas/exam_event/v1.avsc")
  depends_on = [google_project_service.used]
}
