# Names contain the region, and the stores of templates and images are never destroyed: when a
# region is lost, those of the next region are created beside them (docs/runbook.md).
resource "google_storage_bucket" "dataflow" {
  name                        = "${var.project}-dataflow-${var.region}" # 63 characters at most
  location                    = var.region
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  soft_delete_policy {
    retention_duration_seconds = 0 # temporary files; Dataflow warns about soft delete
  }
  # Templates are kept, for rollbacks.
  lifecycle_rule {
    condition {
      age            = 30
      matches_prefix = ["staging/", "tmp/"]
    }
    action {
      type = "Delete"
    }
  }
  lifecycle {
    prevent_destroy = true
  }
}

resource "google_artifact_registry_repository" "images" {
  location      = var.region
  repository_id = "exam-events"
  format        = "DOCKER"
  depends_on    = [google_project_service.used]
  lifecycle {
    prevent_destroy = true
  }
}

# Workers have no public IP addresses and reach Google's services by private access. There is one
# network per region, because the ranges of one network must not overlap.
resource "google_compute_network" "dataflow" {
  name                    = "exam-events-${var.region}"
  auto_create_subnetworks = false
  depends_on              = [google_project_service.used]
}

resource "google_compute_subnetwork" "dataflow" {
  name                     = google_compute_network.dataflow.name
  network                  = google_compute_network.dataflow.id
  region                   = var.region
  ip_cidr_range            = "10.20.0.0/24"
  private_ip_google_access = true
}

# Workers talk to each other only on these ports.
resource "google_compute_firewall" "dataflow" {
  name        = google_compute_network.dataflow.name
  network     = google_compute_network.dataflow.id
  source_tags = ["dataflow"]
  target_tags = ["dataflow"]
  allow {
    protocol = "tcp"
    ports    = ["12345-12346"]
  }
}

output "launch_settings" {
  description = "What deploy/launch.sh reads: write it to settings.env."
  value       = <<-EOT
    PROJECT=${var.project}
    REGION=${var.region}
    JOB_NAME=exam-events
    BUCKET=${google_storage_bucket.dataflow.name}
    REPOSITORY=${var.region}-docker.pkg.dev/${var.project}/${google_artifact_registry_repository.images.repository_id}
    SERVICE_ACCOUNT=${google_service_account.account["pipeline"].email}
    SUBNETWORK=regions/${var.region}/subnetworks/${google_compute_subnetwork.dataflow.name}
    DATASET=${local.dataset}
    EVENT_FAMILIES=${join(",", var.event_families)}
    PSEUDONYM_KEYS=${join(",", local.pseudonym_keys)}
    INPUT_SUBSCRIPTION=${google_pubsub_subscription.events.id}
    DEAD_LETTER_TOPIC=${google_pubsub_topic.dead_letters.id}
    MIN_WORKERS=${var.min_workers}
    MAX_WORKERS=${var.max_workers}
    MACHINE_TYPE=${var.machine_type}
    LABELS=${join(",", [for key, value in var.labels : "${key}=${value}"])}
  EOT
}
