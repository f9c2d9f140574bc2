resource "google_service_account" "account" {
  for_each = merge(local.postgres_accounts, {
    publisher  = "publishes exam events"
    pipeline   = "runs the Dataflow job"
    replay     = "replays dead letters"
    bi         = "reads the warehouse, student data masked"
    transforms = "keeps the stored tables, counts and checks"
    erase      = "erases students"
    build      = "builds the template"
  })
  account_id   = "exam-${each.key}"
  display_name = "Exam Events: ${each.value}"
}

locals {
  # for_each needs keys that are known before apply.
  readers = merge({ bi = google_service_account.account["bi"].member }, { for member in var.analysts : member => member })

  # Roles on the project: BigQuery jobs and Dataflow workers have no narrower scope.
  project_roles = merge(local.postgres_roles, {
    "pipeline job"    = { account = "pipeline", role = "roles/bigquery.jobUser" }
    "pipeline worker" = { account = "pipeline", role = "roles/dataflow.worker" }
    "replay job"      = { account = "replay", role = "roles/bigquery.jobUser" }
    "bi job"          = { account = "bi", role = "roles/bigquery.jobUser" }
    "transforms job"  = { account = "transforms", role = "roles/bigquery.jobUser" }
    "erase job"       = { account = "erase", role = "roles/bigquery.jobUser" }
    "build log"       = { account = "build", role = "roles/logging.logWriter" }
  })
  postgres_roles = merge(
    local.pulls ? { "pull job" = { account = "pull", role = "roles/bigquery.jobUser" } } : {},
    local.captures ? { "capture metrics" = { account = "capture", role = "roles/monitoring.metricWriter" } } : {},
  )

  # Roles on topics and subscriptions. Dataflow looks a subscription up before it reads from it.
  topic_roles = merge({
    "events publisher"      = { topic = google_pubsub_topic.events.name, account = "publisher", role = "roles/pubsub.publisher" }
    "events replay"         = { topic = google_pubsub_topic.events.name, account = "replay", role = "roles/pubsub.publisher" }
    "dead pipeline"         = { topic = google_pubsub_topic.dead_letters.name, account = "pipeline", role = "roles/pubsub.publisher" }
    "dead pipeline look up" = { topic = google_pubsub_topic.dead_letters.name, account = "pipeline", role = "roles/pubsub.viewer" }
    }, local.captures ? {
    "events capture"         = { topic = google_pubsub_topic.events.name, account = "capture", role = "roles/pubsub.publisher" }
    "events capture look up" = { topic = google_pubsub_topic.events.name, account = "capture", role = "roles/pubsub.viewer" }
  } : {})
  subscription_roles = {
    "events pipeline"         = { subscription = google_pubsub_subscription.events.name, account = "pipeline", role = "roles/pubsub.subscriber" }
    "events pipeline look up" = { subscription = google_pubsub_subscription.events.name, account = "pipeline", role = "roles/pubsub.viewer" }
    "dead replay"             = { subscription = google_pubsub_subscription.dead_letters.name, account = "replay", role = "roles/pubsub.subscriber" }
    "dead replay look up"     = { subscription = google_pubsub_subscription.dead_letters.name, account = "replay", role = "roles/pubsub.viewer" }
  }
  written_tables = concat(local.fact_tables, ["dead_letters"])
  # The constants of the lateness rule: the view lateness_rules, and what it reads.
  lateness_tables = [
    for table in ["lateness_rules", "lateness_settings", "tests_dim", "dimension_versions", "dimension_changes_fact"] :
    table if local.exams
  ]
  table_roles = merge(
    {
      for table in local.written_tables :
      "${table} pipeline" => { table = table, member = google_service_account.account["pipeline"].member, role = google_project_iam_custom_role.row_writer.id }
    },
    {
      for table in local.lateness_tables :
      "${table} pipeline reads" => { table = table, member = google_service_account.account["pipeline"].member, role = "roles/bigquery.dataViewer" }
    },
    {
      for table in local.written_tables :
      "${table} replay" => { table = table, member = google_service_account.account["replay"].member, role = "roles/bigquery.dataViewer" }
    },
  )
}

# Writes rows but cannot read them.
resource "google_project_iam_custom_role" "row_writer" {
  role_id     = "examEventsRowWriter"
  title       = "Exam Events: writes rows"
  permissions = ["bigquery.tables.get", "bigquery.tables.updateData"]
}

resource "google_project_iam_member" "account" {
  for_each = local.project_roles
  project  = var.project
  role     = each.value.role
  member   = google_service_account.account[each.value.account].member
}

resource "google_pubsub_topic_iam_member" "account" {
  for_each = local.topic_roles
  topic    = each.value.topic
  role     = each.value.role
  member   = google_service_account.account[each.value.account].member
}

resource "google_pubsub_subscription_iam_member" "account" {
  for_each     = local.subscription_roles
  subscription = each.value.subscription
  role         = each.value.role
  member       = google_service_account.account[each.value.account].member
}

resource "google_bigquery_table_iam_member" "account" {
  for_each   = local.table_roles
  dataset_id = google_bigquery_dataset.exams.dataset_id
  table_id   = each.value.table
  role       = each.value.role
  member     = each.value.member
  depends_on = [terraform_data.tables]
}

resource "google_bigquery_dataset_iam_member" "reader" {
  for_each   = local.readers
  dataset_id = google_bigquery_dataset.exams.dataset_id
  role       = "roles/bigquery.dataViewer"
  member     = each.value
}

resource "google_bigquery_dataset_iam_member" "editor" {
  for_each   = toset(concat(["transforms", "erase"], local.pulls ? ["pull"] : []))
  dataset_id = google_bigquery_dataset.exams.dataset_id
  role       = "roles/bigquery.dataEditor"
  member     = google_service_account.account[each.key].member
}

resource "google_storage_bucket_iam_member" "pipeline" {
  for_each = {
    (google_storage_bucket.dataflow.name) = "roles/storage.objectAdmin"
    (google_storage_bucket.archive.name)  = "roles/storage.objectViewer"
  }
  bucket = each.key
  role   = each.value
  member = google_service_account.account["pipeline"].member
}

# Source, templates and their step names.
resource "google_storage_bucket_iam_member" "template" {
  for_each = merge({ build = google_service_account.account["build"].member }, { for member in var.operators : member => member })
  bucket   = google_storage_bucket.dataflow.name
  role     = "roles/storage.objectAdmin"
  member   = each.value
}

resource "google_storage_bucket_iam_member" "erase" {
  bucket = google_storage_bucket.archive.name
  role   = "roles/storage.objectAdmin"
  member = google_service_account.account["erase"].member
}

resource "google_artifact_registry_repository_iam_member" "account" {
  for_each   = { pipeline = "roles/artifactregistry.reader", build = "roles/artifactregistry.writer" }
  location   = google_artifact_registry_repository.images.location
  repository = google_artifact_registry_repository.images.name
  role       = each.value
  member     = google_service_account.account[each.key].member
}

# People impersonate the accounts, so there are no keys to leak.
resource "google_service_account_iam_member" "publisher" {
  for_each           = toset(var.publishers)
  service_account_id = google_service_account.account["publisher"].name
  role               = "roles/iam.serviceAccountTokenCreator"
  member             = each.key
}

resource "google_service_account_iam_member" "operator" {
  for_each = {
    for triple in concat(
      setproduct(var.operators, ["pipeline", "build"], ["roles/iam.serviceAccountUser"]),
      setproduct(var.operators, ["replay", "erase", "transforms"], ["roles/iam.serviceAccountTokenCreator"]),
    ) : join(" ", triple) => { member = triple[0], account = triple[1], role = triple[2] }
  }
  service_account_id = google_service_account.account[each.value.account].name
  role               = each.value.role
  member             = each.value.member
}

resource "google_project_iam_member" "operator" {
  for_each = {
    for pair in setproduct(var.operators, ["roles/dataflow.developer", "roles/cloudbuild.builds.editor"]) :
    join(" ", pair) => { member = pair[0], role = pair[1] }
  }
  project = var.project
  role    = each.value.role
  member  = each.value.member
}

# To seek back, and to drop dead letters.
resource "google_pubsub_subscription_iam_member" "operator" {
  for_each = {
    for pair in setproduct(var.operators, ["events", "dead_letters"]) : join(" ", pair) => { member = pair[0], which = pair[1] }
  }
  subscription = { events = google_pubsub_subscription.events.name, dead_letters = google_pubsub_subscription.dead_letters.name }[each.value.which]
  role         = "roles/pubsub.editor"
  member       = each.value.member
}

resource "google_project_iam_member" "analyst" {
  for_each = toset(var.analysts)
  project  = var.project
  role     = "roles/bigquery.jobUser"
  member   = each.key
}
