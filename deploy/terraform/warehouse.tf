resource "google_bigquery_dataset" "exams" {
  dataset_id = var.dataset
  location   = var.location
  labels     = var.labels
  depends_on = [google_project_service.used]
}

locals {
  dataset = "${var.project}.${google_bigquery_dataset.exams.dataset_id}"
  ddl     = sort(tolist(fileset(local.repo, "ddl/*/{stored,tables,views}/*.sql")))

  # The columns that identify a person, and those that may contain what a student wrote.
  policy_tags = merge(
    { for column in setunion(["private_row", "student_id"], local.private_columns) : column => google_data_catalog_policy_tag.student["identity"].name },
    {
      for column in ["answer", "attributes", "error_payload", "extra", "final_answer_option", "payload"] :
      column => google_data_catalog_policy_tag.student["content"].name if local.exams || !contains(["answer", "final_answer_option"], column)
    },
  )
}

# ddl/ defines tables, functions and views; this only runs the tool that applies them.
resource "terraform_data" "tables" {
  triggers_replace = [
    sha256(join("", [for name in local.ddl : filesha256("${local.repo}/${name}")])),
    local.dataset,
    var.event_families,
    var.partition_expiration_days,
    var.labels,
    local.policy_tags,
  ]
  provisioner "local-exec" {
    working_dir = local.repo
    command = join(" ", concat(
      [
        var.python, "-m", "ddl", "apply", "--dataset=${local.dataset}", "--location=${var.location}",
        "--event_family=${join(",", var.event_families)}",
        "--labels=${join(",", [for key, value in var.labels : "${key}=${value}"])}",
        "--policy_tags=${join(",", [for column, tag in local.policy_tags : "${column}=${tag}"])}",
      ],
      var.partition_expiration_days == null ? [] : ["--partition_expiration_days=${var.partition_expiration_days}"],
    ))
  }
}
