# Column-level security: unless they are fine-grained readers, users see the identity of a person
# as a hash and what a student wrote as null. warehouse.tf names the columns; the DDL tool tags them.
resource "google_data_catalog_taxonomy" "student" {
  display_name           = "Exam Events: data of students"
  region                 = lower(var.location)
  activated_policy_types = ["FINE_GRAINED_ACCESS_CONTROL"]
  depends_on             = [google_project_service.used]
}

resource "google_data_catalog_policy_tag" "student" {
  for_each = {
    identity = "Who the student, or another person, is."
    content  = "What the student, or the student's device, sent."
  }
  taxonomy     = google_data_catalog_taxonomy.student.id
  display_name = each.key
  description  = each.value
}

resource "google_bigquery_datapolicy_data_policy" "masked" {
  for_each         = { identity = "SHA256", content = "ALWAYS_NULL" }
  location         = lower(var.location)
  data_policy_id   = "exam_events_${each.key}"
  policy_tag       = google_data_catalog_policy_tag.student[each.key].name
  data_policy_type = "DATA_MASKING_POLICY"
  data_masking_policy {
    predefined_expression = each.value
  }
}

resource "google_bigquery_datapolicy_data_policy_iam_member" "masked_reader" {
  for_each = {
    for pair in setproduct(keys(google_bigquery_datapolicy_data_policy.masked), keys(local.readers)) :
    join(" ", pair) => { policy = pair[0], reader = pair[1] }
  }
  location       = lower(var.location)
  data_policy_id = google_bigquery_datapolicy_data_policy.masked[each.value.policy].data_policy_id
  role           = "roles/bigquerydatapolicy.maskedReader"
  member         = local.readers[each.value.reader]
}

# Replaying, erasing and reading whole views need the values; they do not expose them.
resource "google_data_catalog_policy_tag_iam_member" "fine_grained_reader" {
  for_each = {
    for pair in setproduct(keys(google_data_catalog_policy_tag.student), ["erase", "replay", "transforms"]) :
    join(" ", pair) => { tag = pair[0], account = pair[1] }
  }
  policy_tag = google_data_catalog_policy_tag.student[each.value.tag].name
  role       = "roles/datacatalog.categoryFineGrainedReader"
  member     = google_service_account.account[each.value.account].member
}

# Row-level security of exam events: readers see the rows of their tests. The accounts that count, erase, replay
# and sum see all rows.
resource "google_bigquery_row_access_policy" "tests" {
  for_each         = { for name, access in var.row_access : name => access if local.exams }
  dataset_id       = google_bigquery_dataset.exams.dataset_id
  table_id         = "events_fact"
  policy_id        = each.key
  filter_predicate = "test_id IN (${join(", ", [for test in each.value.tests : "'${test}'"])})"
  grantees         = each.value.members
  depends_on       = [terraform_data.tables]
}

resource "google_bigquery_row_access_policy" "all_rows" {
  count            = length(var.row_access) > 0 && local.exams ? 1 : 0
  dataset_id       = google_bigquery_dataset.exams.dataset_id
  table_id         = "events_fact"
  policy_id        = "all_rows"
  filter_predicate = "TRUE"
  grantees         = [for name in ["bi", "erase", "replay", "transforms"] : google_service_account.account[name].member]
  depends_on       = [terraform_data.tables]
}
