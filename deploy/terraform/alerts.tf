locals {
  # The job's counters, named as in schemas/metrics.py. They are cumulative: use deltas.
  counter = "dataflow_googleapis_com:job_user_counter{monitored_resource=\"dataflow_job\",job_name=\"exam-events\",metric_name"
  broken  = "dead_letter_(not_json|too_large|schema_violation|rule_violation|rejected_by_warehouse|internal_error)"

  # docs/runbook.md has a section for each key.
  alerts = {
    oldest-unacked = {
      title   = "Exam events wait in Pub/Sub for more than ten minutes"
      for     = "300s"
      query   = "max(pubsub_googleapis_com:subscription_oldest_unacked_message_age{monitored_resource=\"pubsub_subscription\",subscription_id=\"exam-events\"}) > 600"
      urgency = "CRITICAL"
    }
    archive-stalled = {
      title   = "The raw archive is more than an hour behind"
      for     = "300s"
      query   = "max(pubsub_googleapis_com:subscription_oldest_unacked_message_age{monitored_resource=\"pubsub_subscription\",subscription_id=\"exam-events-archive\"}) > 3600"
      urgency = "WARNING"
    }
    dead-letter-rate = {
      title   = "More than one message in a hundred is a dead letter"
      for     = "600s"
      query   = "sum(delta(${local.counter}=~\"${local.broken}\"}[15m])) / (sum(delta(${local.counter}=\"received\"}[15m])) > 100) > 0.01"
      urgency = "WARNING"
    }
    internal-error = {
      title   = "The pipeline failed on a message: a bug of ours"
      for     = "0s"
      query   = "sum(delta(${local.counter}=\"dead_letter_internal_error\"}[15m])) > 0"
      urgency = "WARNING"
    }
    dead-letter-lost = {
      title   = "BigQuery or Pub/Sub refused a dead letter"
      for     = "0s"
      query   = "sum(delta(${local.counter}=~\"dead_letter_rows_refused|dead_letter_messages_refused\"}[15m])) > 0"
      urgency = "CRITICAL"
    }
    lateness-unknown = {
      title   = "More than one submission in twenty is judged UNKNOWN"
      for     = "1800s"
      query   = "sum(delta(${local.counter}=\"late_status_unknown\"}[30m])) / (sum(delta(${local.counter}=~\"late_status_(on_time|late|unknown)\"}[30m])) > 100) > 0.05"
      urgency = "WARNING"
    }
    outage = {
      title   = "The job has waited for BigQuery or Pub/Sub for ten minutes"
      for     = "600s"
      query   = "sum(delta(${local.counter}=\"outage_retries\"}[5m])) > 0"
      urgency = "CRITICAL"
    }
    freshness = {
      title   = "The job's results are more than fifteen minutes old"
      for     = "300s"
      query   = "max(dataflow_googleapis_com:job_data_watermark_age{monitored_resource=\"dataflow_job\",job_name=\"exam-events\"}) > 900"
      urgency = "CRITICAL"
    }
    not-running = {
      title   = "Messages arrive and no job writes them"
      for     = "600s"
      query   = "sum(rate(pubsub_googleapis_com:topic_send_message_operation_count{monitored_resource=\"pubsub_topic\",topic_id=\"exam-events\"}[10m])) > 0 unless sum(delta(${local.counter}=\"received\"}[10m])) > 0"
      urgency = "CRITICAL"
    }
    stored-tables = {
      title   = "Two runs in a row could not bring the stored tables up to date"
      for     = "0s"
      query   = "sum(increase(run_googleapis_com:job_completed_execution_count{monitored_resource=\"cloud_run_job\",job_name=\"exam-events-warehouse-hourly\",result=\"failed\"}[150m])) > 1.5"
      urgency = "WARNING"
    }
    cost = {
      title   = "The job has run with all of its workers for two hours"
      for     = "7200s"
      query   = "max(dataflow_googleapis_com:job_target_worker_instances{monitored_resource=\"dataflow_job\",job_name=\"exam-events\"}) >= ${var.max_workers}"
      urgency = "WARNING"
    }
  }

  # In a job of several families a small one is lost in the rate of all. Not for exam events, whose
  # dead letters include valid ones (store_error).
  family_alerts = {
    for family in var.event_families : "dead-letter-rate ${family}" => {
      title   = "More than one message in a hundred of ${family} is a dead letter"
      for     = "600s"
      query   = "sum(delta(${local.counter}=\"dead_letters_${family}\"}[15m])) / (sum(delta(${local.counter}=\"routed_${family}\"}[15m])) > 100) > 0.01"
      urgency = "WARNING"
    } if family != "exam_event" && length(var.event_families) > 1
  }
}

resource "google_monitoring_notification_channel" "email" {
  display_name = "Exam Events"
  type         = "email"
  labels       = { email_address = var.alert_email }
  depends_on   = [google_project_service.used]
}

resource "google_monitoring_alert_policy" "alert" {
  for_each              = merge(local.alerts, local.family_alerts, local.postgres_alerts)
  display_name          = each.value.title
  combiner              = "OR"
  severity              = each.value.urgency
  notification_channels = [google_monitoring_notification_channel.email.id]
  user_labels           = var.labels
  conditions {
    display_name = each.key
    condition_prometheus_query_language {
      query               = each.value.query
      duration            = each.value.for
      evaluation_interval = "60s"
      # Monitoring does not know the job's counters before the job has run.
      disable_metric_validation = true
    }
  }
  documentation {
    mime_type = "text/markdown"
    content   = "docs/runbook.md, section ${split(" ", each.key)[0]}"
  }
}

resource "google_billing_budget" "monthly" {
  count           = var.billing_account == null ? 0 : 1
  billing_account = var.billing_account
  display_name    = "Exam Events"
  budget_filter {
    projects = ["projects/${data.google_project.this.number}"]
  }
  amount {
    specified_amount {
      units = tostring(var.monthly_budget)
    }
  }
  dynamic "threshold_rules" {
    for_each = [0.5, 0.9, 1.0]
    content {
      threshold_percent = threshold_rules.value
    }
  }
  all_updates_rule {
    monitoring_notification_channels = [google_monitoring_notification_channel.email.id]
  }
}
