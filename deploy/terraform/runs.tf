# Keeps the stored tables (docs/stored.md): every hour what has come, and at 04:00 UTC the last days
# again, compared with the views. A run that fails is tried once more, and the next hour takes its
# window too.

locals {
  runs = local.exams && var.warehouse_image != null ? {
    hourly = { schedule = "5 * * * *", args = ["run"] }
    verify = { schedule = "0 4 * * *", args = ["run", "--verify"] }
  } : {}
}

resource "google_cloud_run_v2_job" "warehouse" {
  for_each            = local.runs
  name                = "exam-events-warehouse-${each.key}"
  location            = var.region
  deletion_protection = false
  template {
    template {
      service_account = google_service_account.account["transforms"].email
      max_retries     = 1
      timeout         = "3300s"
      containers {
        image   = var.warehouse_image
        command = ["python", "-m", "warehouse"]
        args    = concat(each.value.args, ["--dataset=${local.dataset}", "--env=prod"])
      }
    }
  }
  depends_on = [terraform_data.tables]
}

resource "google_cloud_scheduler_job" "warehouse" {
  for_each  = local.runs
  name      = "exam-events-warehouse-${each.key}"
  region    = var.region
  schedule  = each.value.schedule
  time_zone = "Etc/UTC"
  http_target {
    http_method = "POST"
    uri         = "https://run.googleapis.com/v2/${google_cloud_run_v2_job.warehouse[each.key].id}:run"
    oauth_token {
      service_account_email = google_service_account.account["transforms"].email
    }
  }
}

resource "google_cloud_run_v2_job_iam_member" "warehouse" {
  for_each = local.runs
  name     = google_cloud_run_v2_job.warehouse[each.key].name
  location = var.region
  role     = "roles/run.invoker"
  member   = google_service_account.account["transforms"].member
}
