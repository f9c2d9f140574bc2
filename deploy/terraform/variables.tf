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

variable "labels" {
  description = "Labels of everything that bears labels."
  type        = map(string)
  default     = { system = "exam-events" }
}

variable "partition_expiration_days" {
  description = "Age at which facts and dead letters are deleted; null keeps them. Shortening it needs a hand (docs/warehouse.md)."
  type        = number
  default     = null
}

variable "archive_days" {
  description = "Age at which objects of the raw archive are deleted."
  type        = number
  default     = 400
}

variable "min_workers" {
  description = "Fewest workers of the job."
  type        = number
  default     = 1
}

variable "max_workers" {
  description = "Most workers of the job."
  type        = number
  default     = 10
}

variable "machine_type" {
  description = "Machine type of the workers."
  type        = string
  default     = "n2-standard-2"
}

variable "publishers" {
  description = "Members that may publish as the publisher account, such as the app's own service account."
  type        = list(string)
  default     = []
}

variable "operators" {
  description = "Members that launch, drain, replay and erase."
  type        = list(string)
  default     = []
}

variable "analysts" {
  description = "Members that read the warehouse with student data masked, as the BI account does."
  type        = list(string)
  default     = []
}

variable "row_access" {
  description = "Who sees the rows of which tests, by a name of your choice. Where it is empty, readers see all rows; where it is not, they see only these."
  type        = map(object({ members = list(string), tests = list(string) }))
  default     = {}
}

variable "alert_email" {
  description = "Address that alerts go to."
  type        = string
}

variable "billing_account" {
  description = "Billing account of the project, for the budget; null makes none."
  type        = string
  default     = null
}

variable "monthly_budget" {
  description = "Monthly budget in the currency of the billing account."
  type        = number
  default     = 500
}

variable "python" {
  description = "Python that has this project installed; it applies the DDL."
  type        = string
  default     = ".venv/bin/python"
}
