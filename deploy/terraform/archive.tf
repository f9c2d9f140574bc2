# Every message as received, in Avro with metadata; `--input 'gs://.../*.avro'` reads it back.
resource "google_storage_bucket" "archive" {
  name                        = "${var.project}-exam-events-archive"
  location                    = var.location
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"

  # Erased data must be gone: no old versions, no soft delete.
  soft_delete_policy {
    retention_duration_seconds = 0
  }
  lifecycle_rule {
    condition {
      age = 30
    }
    action {
      type          = "SetStorageClass"
      storage_class = "NEARLINE"
    }
  }
  lifecycle_rule {
    condition {
      age = var.archive_days
    }
    action {
      type = "Delete"
    }
  }
  # pipeline.erase rewrites objects; their custom time is the creation time of the original.
  lifecycle_rule {
    condition {
      days_since_custom_time = var.archive_days
    }
    action {
      type = "Delete"
    }
  }
}

resource "google_pubsub_subscription" "archive" {
  name                       = "exam-events-archive"
  topic                      = google_pubsub_topic.events.id
  ack_deadline_seconds       = 300
  message_retention_duration = "604800s"
  expiration_policy {
    ttl = ""
  }
  cloud_storage_config {
    bucket                   = google_storage_bucket.archive.name
    filename_prefix          = "exam-events/"
    filename_datetime_format = "YYYY-MM-DD/hh-mm-ssZ"
    filename_suffix          = ".avro"
    max_duration             = "300s"
    max_bytes                = 100000000
    avro_config {
      write_metadata = true
    }
  }
  depends_on = [google_storage_bucket_iam_member.archive_writer]
}

locals {
  pubsub_agent = "serviceAccount:service-${data.google_project.this.number}@gcp-sa-pubsub.iam.gserviceaccount.com"
}

resource "google_storage_bucket_iam_member" "archive_writer" {
  for_each = toset(["roles/storage.objectCreator", "roles/storage.legacyBucketReader"])
  bucket   = google_storage_bucket.archive.name
  role     = each.key
  member   = local.pubsub_agent
}
