variable "project" {
  description = "Id of the Google Cloud project."
  type        = string
}

variable "region" {
  description = "Region of the job and its network, such as europe-west1."
  type        = string
}

variable "location" {
  description = "Location of the dataset, its policy tags and the buckets: a region, or a multi-region such as EU."
  type        = string
  default     = "EU"
}

variable "dataset" {
  description = "Name of the BigQuery dataset."
  type        = string
  default     = "exams"
}

variable "event_families" {
  description = "Event families that the job reads: folders of schemas/."
  type        = list(string)
  default     = ["exam_event"]
  validation {
    condition = (
      length(var.event_families) > 0 && length(distinct(var.event_families)) == length(var.event_families)
      && alltrue([for family in var.event_families : can(regex("^[a-z][a-z0-9_]{2,}$", family))])
    )
    error_message = "event_families must be names of folders of schemas/, each once, and at least one."
  }
}

variable "pseudonym_keys" {
  description = "Keys of the pseudonyms of persons, the oldest first, with the version of each secret (docs/runbook.md); empty stores ids as sent."
  type        = list(object({ name = string, version = number }))
  default     = []
  validation {
    condition = (
      length(distinct(var.pseudonym_keys[*].name)) == length(var.pseudonym_keys)
      && alltrue([for key in var.pseudonym_keys : can(regex("^[a-z][a-z0-9_]{0,15}$", key.name))])
    )
    error_message = "pseudonym_keys must have different names of 1 to 16 lower-case letters, digits and underscores."
  }
}

variable "labels" {
  description = "Labels of every resource that has labels."
  type        = map(string)
  default     = { system = "exam-events" }
}

variable "partition_expiration_days" {
  description = "Age at which facts and dead letters are deleted; null keeps them. `ddl apply` does not shorten it (docs/warehouse.md)."
  type        = number
  default     = null
}

variable "archive_days" {
  description = "Age at which objects of the raw archive are deleted."
  type        = number
  default     = 400
}

variable "min_workers" {
  description = "Minimum number of workers."
  type        = number
  default     = 1
}

variable "max_workers" {
  description = "Maximum number of workers."
  type        = number
  default     = 10
}

variable "machine_type" {
  description = "Machine type of the workers."
  type        = string
  default     = "n2-standard-2"
}

variable "publishers" {
  description = "Members who may publish as the publisher account, such as the app's own service account."
  type        = list(string)
  default     = []
}

variable "operators" {
  description = "Members who may launch and drain the job, replay and erase."
  type        = list(string)
  default     = []
}

variable "analysts" {
  description = "Members who may read the warehouse with student data masked, as the BI account does."
  type        = list(string)
  default     = []
}

variable "dashboard_image" {
  description = "Image of the dashboard, built from deploy/dashboard; null deploys no dashboard."
  type        = string
  default     = null
}

variable "dashboard_viewers" {
  description = "Members who may open the dashboard, such as group:teachers@example.com."
  type        = list(string)
  default     = []
}

variable "postgres_image" {
  description = "Image that pulls or captures an operational PostgreSQL, built from deploy/one-machine; null does neither."
  type        = string
  default     = null
}

variable "postgres_pull_schedule" {
  description = "When PostgreSQL is pulled, in cron's form and UTC; null does not pull it."
  type        = string
  default     = "0 * * * *"
}

variable "postgres_capture" {
  description = "Whether changes of PostgreSQL are captured. Both it and the pull for a change-over only (docs/postgres.md)."
  type        = bool
  default     = false
}

variable "postgres_arguments" {
  description = "Further arguments of pull and capture, such as --source_time_zone=Europe/Berlin."
  type        = list(string)
  default     = []
}

variable "postgres_subnetwork" {
  description = "Subnetwork of the region from which PostgreSQL is reached by its private address; null goes by the internet."
  type        = string
  default     = null
}

variable "postgres_max_slot_bytes" {
  description = "WAL that the capture's slot may keep before an alert: at most half of max_slot_wal_keep_size."
  type        = number
  default     = 1000000000
}

variable "row_access" {
  description = "Which members see the rows of which tests, by a name of your choice. If empty, readers see all rows; otherwise, only these."
  type        = map(object({ members = list(string), tests = list(string) }))
  default     = {}
}

variable "alert_email" {
  description = "Email address for alerts."
  type        = string
}

variable "billing_account" {
  description = "Billing account of the project, for the budget; null creates no budget."
  type        = string
  default     = null
}

variable "monthly_budget" {
  description = "Monthly budget in the currency of the billing account."
  type        = number
  default     = 500
}

variable "python" {
  description = "Python interpreter with this project installed; it applies the DDL."
  type        = string
  default     = ".venv/bin/python"
}

variable "warehouse_image" {
  description = "Image that keeps the stored tables, as `make template` pushed it; null schedules no runs."
  type        = string
  default     = null
}
