view: timeline {
  derived_table: {
    sql:
      SELECT * FROM `@{project}.@{dataset}.session_events_between`(
        DATE({% date_start dates %}),
        DATE_SUB(DATE({% date_end dates %}), INTERVAL 1 DAY)) ;;
  }

  filter: dates { type: date default_value: "7 days" description: "UTC dates." }

  dimension: test_id {
    type: string
    label: "Test"
    description: "The test of the session's first event."
    sql: ${TABLE}.test_id ;;
  }

  dimension: session_id {
    type: string
    label: "Session"
    description: "One sitting of one student at one test."
    sql: ${TABLE}.session_id ;;
  }

  dimension: client_ts {
    type: date_time
    label: "Time"
    description: "Event time by the app's clock."
    sql: ${TABLE}.client_ts ;;
  }

  dimension: event_type {
    type: string
    label: "What happened"
    description: "The type of the event."
    sql: ${TABLE}.event_type ;;
  }

  dimension: question_id {
    type: string
    label: "Question"
    description: "The question concerned."
    sql: ${TABLE}.question_id ;;
  }

  dimension: is_correct_answer {
    type: yesno
    label: "Correct"
    description: "Whether the answer is right."
    sql: ${TABLE}.is_correct_answer ;;
  }

  dimension: is_late_submission {
    type: yesno
    label: "Late"
    description: "Whether it came after its deadline and grace period."
    sql: ${TABLE}.is_late_submission ;;
  }

  measure: events {
    type: number
    label: "Events"
    description: "Events."
    value_format_name: decimal_0
    sql: COUNT(*) ;;
  }
}
