locals {
  by_name = "sum by (metric_name) (delta(${local.counter}=~\"%s\"}[5m]))"
  charts = concat([
    { title = "Received and written, every five minutes", query = format(local.by_name, "received|written|dead_letters_written") },
    { title = "Dead letters by kind", query = format(local.by_name, "dead_letter_[a-z_]+") },
    { title = "Submissions by lateness", query = format(local.by_name, "late_status_[a-z_]+") },
    { title = "Held for a session's start", query = format(local.by_name, "held|held_released_by_start|held_released_unknown|hold_overflowed") },
    { title = "Waits for a service", query = format(local.by_name, "outage_retries") },
    { title = "From the app's clock to here, seconds", query = "max by (metric_name) (${local.counter}=~\"event_lag_seconds_(MEAN|MAX)\"})" },
    {
      title = "Oldest message not acknowledged, seconds"
      query = "max by (subscription_id) (pubsub_googleapis_com:subscription_oldest_unacked_message_age{monitored_resource=\"pubsub_subscription\",subscription_id=~\"exam-events.*\"})"
    },
    {
      title = "Messages waiting"
      query = "sum by (subscription_id) (pubsub_googleapis_com:subscription_num_undelivered_messages{monitored_resource=\"pubsub_subscription\",subscription_id=~\"exam-events.*\"})"
    },
    {
      title = "Age of the watermark, seconds"
      query = "max(dataflow_googleapis_com:job_data_watermark_age{monitored_resource=\"dataflow_job\",job_name=\"exam-events\"})"
    },
    {
      title = "Virtual processors"
      query = "max(dataflow_googleapis_com:job_current_num_vcpus{monitored_resource=\"dataflow_job\",job_name=\"exam-events\"})"
    },
    ], [
    for chart in [
      { title = "Messages by event family", query = format(local.by_name, "routed_(${local.of_any})") },
      { title = "Facts by event family", query = format(local.by_name, "written_(${local.of_any})") },
      { title = "Dead letters by event family", query = format(local.by_name, "dead_letters_(${local.of_any})") },
    ] : chart if length(var.event_families) > 1
  ])
}

resource "google_monitoring_dashboard" "exam_events" {
  dashboard_json = jsonencode({
    displayName = "Exam Events"
    mosaicLayout = {
      columns = 48
      tiles = [
        for place, chart in local.charts : {
          xPos   = place % 2 * 24
          yPos   = floor(place / 2) * 16
          width  = 24
          height = 16
          widget = {
            title = chart.title
            xyChart = {
              dataSets = [{ plotType = "LINE", timeSeriesQuery = { prometheusQuery = chart.query } }]
            }
          }
        }
      ]
    }
  })
}
