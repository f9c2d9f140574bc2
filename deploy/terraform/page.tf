# The dashboard of docs/dashboard.md: a service that only its viewers reach, through Identity-Aware
# Proxy. It reads as the BI account, so student data is masked.
resource "google_cloud_run_v2_service" "page" {
  count       = var.dashboard_image == null ? 0 : 1
  name        = "exam-dashboard"
  location    = var.region
  iap_enabled = true
  depends_on  = [google_project_service.used]

  template {
    service_account = google_service_account.account["bi"].email
    # One instance: its cache is what makes many viewers one query.
    scaling {
      max_instance_count = 1
    }
    containers {
      image = var.dashboard_image
      args  = ["--dataset=${var.project}.${google_bigquery_dataset.exams.dataset_id}"]
      ports {
        container_port = 8080
      }
      resources {
        limits = { cpu = "1", memory = "1Gi" }
      }
    }
  }
}

resource "google_cloud_run_v2_service_iam_member" "page_proxy" {
  count    = length(google_cloud_run_v2_service.page)
  name     = google_cloud_run_v2_service.page[0].name
  location = var.region
  role     = "roles/run.invoker"
  member   = "serviceAccount:service-${data.google_project.this.number}@gcp-sa-iap.iam.gserviceaccount.com"
}

resource "google_iap_web_cloud_run_service_iam_member" "page_viewer" {
  for_each               = toset(var.dashboard_image == null ? [] : var.dashboard_viewers)
  cloud_run_service_name = google_cloud_run_v2_service.page[0].name
  location               = var.region
  role                   = "roles/iap.httpsResourceAccessor"
  member                 = each.key
}
