view: runs {
  derived_table: {
    sql:
      SELECT * FROM `@{project}.@{dataset}.etl_job_status`
      WHERE DATE(started_at) BETWEEN DATE({% date_start dates %})
        AND DATE_SUB(DATE({% date_end dates %}), INTERVAL 1 DAY) ;;
  }

  filter: dates { type: date default_value: "7 days" description: "UTC dates." }

  dimension: job_name {
    type: string
    label: "What ran"
    description: "postgres_pull, warehouse (the stored tables) and the like."
    sql: ${TABLE}.job_name ;;
  }

  dimension: env {
    type: string
    label: "Environment"
    description: "The environment that --env named; empty for the one without a name."
    sql: ${TABLE}.env ;;
  }

  dimension: started_at {
    type: date_time
    label: "Started"
    description: "When the run started."
    sql: ${TABLE}.started_at ;;
  }

  dimension: status {
    type: string
    label: "Status"
    description: "running, completed or failed. A run that was killed stays running."
    sql: ${TABLE}.status ;;
  }

  dimension: error_message {
    type: string
    label: "Why it failed"
    description: "The error, without values of rows."
    sql: ${TABLE}.error_message ;;
  }

  measure: records_processed {
    type: number
    label: "Rows read"
    description: "Rows that the runs read."
    value_format_name: decimal_0
    sql: SUM(records_processed) ;;
  }

  measure: rows_written {
    type: number
    label: "Rows written"
    description: "Rows that the runs wrote."
    value_format_name: decimal_0
    sql: SUM(rows_written) ;;
  }

  measure: records_failed {
    type: number
    label: "Dead letters"
    description: "Messages that the runs wrote to dead_letters."
    value_format_name: decimal_0
    sql: SUM(records_failed) ;;
  }

  measure: run_time {
    type: number
    label: "Took"
    description: "Mean time from start to end, of the runs that have ended."
    sql: AVG(TIMESTAMP_DIFF(completed_at, started_at, MILLISECOND)) / 1000 ;;
  }
}
