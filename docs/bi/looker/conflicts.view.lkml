view: conflicts {
  derived_table: {
    sql:
      SELECT * FROM `@{project}.@{dataset}.event_conflicts_between`(
        DATE({% date_start dates %}),
        DATE_SUB(DATE({% date_end dates %}), INTERVAL 1 DAY)) ;;
  }

  filter: dates { type: date default_value: "7 days" description: "UTC dates." }

  dimension: event_date {
    type: date
    label: "Date"
    description: "UTC date of the event."
    sql: ${TABLE}.event_date ;;
  }

  measure: conflicts {
    type: number
    label: "Conflicts"
    description: "Events whose copies differ."
    value_format_name: decimal_0
    sql: COUNT(*) ;;
  }

  measure: copies {
    type: number
    label: "Copies"
    description: "Messages of those events."
    value_format_name: decimal_0
    sql: SUM(copies) ;;
  }
}
