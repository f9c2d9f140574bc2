terraform {
  required_version = ">= 1.5"
  required_providers {
    google = {
      source  = "hashicorp/google"
      version = "~> 7.0"
    }
  }
}

provider "google" {
  project        = var.project
  region         = var.region
  default_labels = var.labels
  # The budget API needs a project for its quota.
  user_project_override = true
  billing_project       = var.project
}

data "google_project" "this" {}

resource "google_project_service" "used" {
  for_each = toset([
    "artifactregistry", "bigquery", "bigquerydatapolicy", "bigquerystorage", "billingbudgets",
    "cloudbuild", "cloudresourcemanager", "cloudscheduler", "compute", "datacatalog", "dataflow", "iam", "iap", "logging", "monitoring", "pubsub", "run", "secretmanager", "storage",
  ])
  service            = "${each.key}.googleapis.com"
  disable_on_destroy = false
}
