view: dead_letters {
  derived_table: {
    sql:
      SELECT * FROM `@{project}.@{dataset}.dead_letters`
      WHERE failed_date BETWEEN DATE({% date_start dates %})
        AND DATE_SUB(DATE({% date_end dates %}), INTERVAL 1 DAY) ;;
  }

  filter: dates { type: date default_value: "7 days" description: "UTC dates." }

  dimension: failed_hour {
    type: date_hour
    label: "Hour of the failure"
    description: "UTC hour in which the pipeline rejected the message."
    sql: TIMESTAMP_TRUNC(failed_at, HOUR, 'UTC') ;;
  }

  dimension: error_kind {
    type: string
    label: "Kind"
    description: "The kind of error."
    sql: ${TABLE}.error_kind ;;
  }

  dimension: event_family {
    type: string
    label: "Event family"
    description: "The event family that the message was read as; empty where it is of none."
    sql: ${TABLE}.event_family ;;
  }

  dimension: stage {
    type: string
    label: "Step"
    description: "The step of the pipeline that rejected the message."
    sql: ${TABLE}.stage ;;
  }

  dimension: error_field {
    type: string
    label: "Field"
    description: "The payload field at fault, if there is a single one."
    sql: ${TABLE}.error_field ;;
  }

  measure: dead_letters {
    type: number
    label: "Dead letters"
    description: "Messages."
    value_format_name: decimal_0
    sql: COUNT(DISTINCT message_id) ;;
  }

  measure: replayed {
    type: number
    label: "Replayed before"
    description: "Messages that had been replayed before."
    value_format_name: decimal_0
    sql: COUNT(DISTINCT IF(replay_count > 0, message_id, NULL)) ;;
  }

  measure: newest_failure {
    type: string
    label: "Newest"
    description: "When the newest of them failed."
    sql: MAX(failed_at) ;;
  }
}
