view: submissions {
  derived_table: {
    sql:
      SELECT * FROM `@{project}.@{dataset}.events_between`(
        DATE({% date_start dates %}),
        DATE_SUB(DATE({% date_end dates %}), INTERVAL 1 DAY))
      WHERE event_type IN ('answer_submit', 'answer_resubmit', 'test_submit') ;;
  }

  filter: dates { type: date default_value: "7 days" description: "UTC dates." }

  dimension: test_id {
    type: string
    label: "Test"
    description: "The test that the submission names."
    sql: ${TABLE}.test_id ;;
  }

  dimension: session_id {
    type: string
    label: "Session"
    description: "One sitting of one student at one test."
    sql: ${TABLE}.session_id ;;
  }

  dimension: late_status {
    type: string
    label: "Status"
    description: "ON_TIME, LATE or UNKNOWN."
    sql: ${TABLE}.late_status ;;
  }

  measure: submissions {
    type: number
    label: "Submissions"
    description: "Answers, resubmissions and submitted tests."
    value_format_name: decimal_0
    sql: COUNT(*) ;;
  }

  measure: late {
    type: number
    label: "Late submissions"
    description: "Submissions after their deadline and grace period."
    value_format_name: decimal_0
    sql: COUNTIF(late_status = 'LATE') ;;
  }

  measure: late_share {
    type: number
    label: "Late of all"
    description: "Late submissions over all submissions."
    value_format_name: percent_1
    sql: COUNTIF(late_status = 'LATE') / COUNT(*) ;;
  }

  measure: typical_lateness {
    type: number
    label: "Typically late by"
    description: "Median of the time after the deadline, of the late ones whose deadline is known."
    sql: APPROX_QUANTILES(late_by_seconds, 100)[SAFE_OFFSET(50)] ;;
  }

  measure: worst_lateness {
    type: number
    label: "At most late by"
    description: "The longest time after the deadline."
    sql: MAX(late_by_seconds) ;;
  }

  measure: unknown {
    type: number
    label: "Unknown"
    description: "Submissions without a deadline and without a verdict of the app."
    value_format_name: decimal_0
    sql: COUNTIF(late_status = 'UNKNOWN') ;;
  }

  measure: unknown_rate {
    type: number
    label: "Unknown of all"
    description: "Unknown ones over all submissions."
    value_format_name: percent_1
    sql: COUNTIF(late_status = 'UNKNOWN') / COUNT(*) ;;
  }
}
