view: tests {
  derived_table: {
    sql:
      SELECT * FROM `@{project}.@{dataset}.test_summary_between`(
        DATE({% date_start dates %}),
        DATE_SUB(DATE({% date_end dates %}), INTERVAL 1 DAY)) ;;
  }

  filter: dates { type: date default_value: "7 days" description: "UTC dates." }

  dimension: test_id {
    type: string
    label: "Test"
    description: "The test of the sessions' first events."
    sql: ${TABLE}.test_id ;;
  }

  measure: sessions {
    type: number
    label: "Sessions"
    description: "Sessions, incomplete ones included."
    value_format_name: decimal_0
    sql: SUM(sessions) ;;
  }
}
