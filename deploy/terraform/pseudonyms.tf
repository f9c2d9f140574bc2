# The keys of pseudonyms. A person adds their versions (docs/runbook.md), so that no key is in the
# state. Without its key nobody can find the rows of a person: it is never destroyed with the rest.
resource "google_secret_manager_secret" "pseudonyms" {
  for_each  = toset([for key in var.pseudonym_keys : key.name])
  secret_id = "exam-pseudonyms-${each.key}"
  labels    = var.labels
  replication {
    auto {}
  }
  depends_on = [google_project_service.used]
  lifecycle {
    prevent_destroy = true
  }
}

# Workers make pseudonyms, and erase finds them by the ids of persons.
resource "google_secret_manager_secret_iam_member" "pseudonyms" {
  for_each = {
    for pair in setproduct([for key in var.pseudonym_keys : key.name], ["erase", "pipeline"]) :
    join(" ", pair) => { key = pair[0], account = pair[1] }
  }
  secret_id = google_secret_manager_secret.pseudonyms[each.value.key].id
  role      = "roles/secretmanager.secretAccessor"
  member    = google_service_account.account[each.value.account].member
}

locals {
  # As in --pseudonym_key.
  pseudonym_keys = [
    for key in var.pseudonym_keys :
    "${key.name}=projects/${var.project}/secrets/exam-pseudonyms-${key.name}/versions/${key.version}"
  ]
}
