# An operational PostgreSQL as a source (docs/postgres.md): a job that pulls it by the clock, or a
# service that captures its changes, or one after the other.
locals {
  pulls    = var.postgres_image != null && var.postgres_pull_schedule != null
  captures = var.postgres_image != null && var.postgres_capture
  # What reads the database, and as which account.
  postgres_accounts = merge(
    local.pulls ? { pull = "pulls the operational PostgreSQL" } : {},
    local.captures ? { capture = "captures the operational PostgreSQL" } : {},
  )
  postgres_families = ["exam_event", "dimension_change", "session_change"]

  pull_runs = "run_googleapis_com:job_completed_execution_count{monitored_resource=\"cloud_run_job\",job_name=\"exam-pull\",result"
  pull_alerts = {
    pull-failed = {
      title   = "The pull of PostgreSQL has failed twice within three hours"
      for     = "0s"
      query   = "sum(increase(${local.pull_runs}=\"failed\"}[3h])) > 1.5"
      urgency = "CRITICAL"
    }
    pull-late = {
      title   = "No pull of PostgreSQL has succeeded for three hours"
      for     = "0s"
      query   = "(sum(increase(${local.pull_runs}=\"succeeded\"}[3h])) or vector(0)) < 0.5"
      urgency = "WARNING"
    }
  }
  capture_alerts = {
    capture-late = {
      title   = "Changes of PostgreSQL reach Pub/Sub more than a minute after their commit"
      for     = "300s"
      query   = "histogram_quantile(0.9, sum by (le) (rate(exam_events_capture_commit_to_published_seconds_bucket[5m]))) > 60"
      urgency = "WARNING"
    }
    slot-size = {
      title   = "The replication slot makes PostgreSQL keep too much WAL"
      for     = "300s"
      query   = "max(exam_events_capture_slot_retained_bytes) > ${var.postgres_max_slot_bytes}"
      urgency = "CRITICAL"
    }
    capture-stopped = {
      title   = "The capture of PostgreSQL does not run, and its slot grows"
      for     = "600s"
      query   = "absent(exam_events_capture_slot_retained_bytes)"
      urgency = "CRITICAL"
    }
  }
  postgres_alerts = merge(
    { for name, alert in local.pull_alerts : name => alert if local.pulls },
    { for name, alert in local.capture_alerts : name => alert if local.captures },
  )
}

# DATABASE_URL. Its value is added by hand, so that it is in no state:
#   gcloud secrets versions add exam-events-database-url --data-file=-
resource "google_secret_manager_secret" "database_url" {
  count     = length(local.postgres_accounts) > 0 ? 1 : 0
  secret_id = "exam-events-database-url"
  replication {
    auto {}
  }
  depends_on = [google_project_service.used]
}

resource "google_secret_manager_secret_iam_member" "database_url" {
  for_each  = local.postgres_accounts
  secret_id = google_secret_manager_secret.database_url[0].id
  role      = "roles/secretmanager.secretAccessor"
  member    = google_service_account.account[each.key].member
}

resource "google_cloud_run_v2_job" "pull" {
  count               = local.pulls ? 1 : 0
  name                = "exam-pull"
  location            = var.region
  deletion_protection = false
  depends_on          = [google_secret_manager_secret_iam_member.database_url, terraform_data.tables]

  template {
    template {
      service_account = google_service_account.account["pull"].email
      timeout         = "21600s" # the first pull reads everything
      max_retries     = 0        # the next run reads what this one has not written
      containers {
        image   = var.postgres_image
        command = ["python", "-m", "pipeline.main"]
        args = concat(
          ["--input_postgres", "--dataset=${local.dataset}", "--event_family=${join(",", local.postgres_families)}"],
          var.postgres_arguments,
        )
        env {
          name = "DATABASE_URL"
          value_source {
            secret_key_ref {
              secret  = google_secret_manager_secret.database_url[0].secret_id
              version = "latest"
            }
          }
        }
        resources {
          limits = { cpu = "2", memory = "4Gi" }
        }
      }
      dynamic "vpc_access" {
        for_each = var.postgres_subnetwork == null ? [] : [var.postgres_subnetwork]
        content {
          network_interfaces {
            subnetwork = vpc_access.value
          }
          egress = "PRIVATE_RANGES_ONLY"
        }
      }
    }
  }
}

resource "google_cloud_run_v2_job_iam_member" "pull_scheduler" {
  count    = length(google_cloud_run_v2_job.pull)
  name     = google_cloud_run_v2_job.pull[0].name
  location = var.region
  role     = "roles/run.invoker"
  member   = google_service_account.account["pull"].member
}

resource "google_cloud_scheduler_job" "pull" {
  count      = length(google_cloud_run_v2_job.pull)
  name       = "exam-pull"
  region     = var.region
  schedule   = var.postgres_pull_schedule
  depends_on = [google_project_service.used]
  http_target {
    http_method = "POST"
    uri         = "https://run.googleapis.com/v2/${google_cloud_run_v2_job.pull[0].id}:run"
    oauth_token {
      service_account_email = google_service_account.account["pull"].email
    }
  }
}

# One instance that is never idle: it holds the slot, and nobody calls it.
resource "google_cloud_run_v2_service" "capture" {
  count               = local.captures ? 1 : 0
  name                = "exam-capture"
  location            = var.region
  ingress             = "INGRESS_TRAFFIC_INTERNAL_ONLY"
  deletion_protection = false
  depends_on          = [google_secret_manager_secret_iam_member.database_url]

  template {
    service_account = google_service_account.account["capture"].email
    scaling {
      min_instance_count = 1
      max_instance_count = 1
    }
    containers {
      name    = "capture"
      image   = var.postgres_image
      command = ["python", "-m", "pipeline.capture"]
      args = concat(
        [
          "--topic=${google_pubsub_topic.events.id}", "--metrics_port=8080",
          "--max_slot_lag_bytes=${var.postgres_max_slot_bytes}",
          # Those that the job reads.
          "--event_family=${join(",", setintersection(local.postgres_families, var.event_families))}",
        ],
        var.postgres_arguments,
      )
      ports {
        container_port = 8080
      }
      env {
        name = "DATABASE_URL"
        value_source {
          secret_key_ref {
            secret  = google_secret_manager_secret.database_url[0].secret_id
            version = "latest"
          }
        }
      }
      resources {
        limits   = { cpu = "1", memory = "1Gi" }
        cpu_idle = false
      }
      # No liveness probe: where it waits for a service, to begin anew helps nobody.
      startup_probe {
        http_get {
          path = "/metrics"
        }
      }
    }
    # Google's collector: it reads /metrics on port 8080 every 30 seconds.
    containers {
      name       = "metrics"
      image      = "us-docker.pkg.dev/cloud-ops-agents-artifacts/cloud-run-gmp-sidecar/cloud-run-gmp-sidecar:1.2.0"
      depends_on = ["capture"]
    }
    dynamic "vpc_access" {
      for_each = var.postgres_subnetwork == null ? [] : [var.postgres_subnetwork]
      content {
        network_interfaces {
          subnetwork = vpc_access.value
        }
        egress = "PRIVATE_RANGES_ONLY"
      }
    }
  }
}
