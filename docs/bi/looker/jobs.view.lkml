view: jobs {
  derived_table: {
    sql:
      SELECT * FROM `@{project}.@{dataset}.etl_job_status`
      WHERE DATE(started_at) BETWEEN DATE '1960-01-01'
        AND DATE_SUB(DATE({% date_end dates %}), INTERVAL 1 DAY) ;;
  }

  filter: dates { type: date default_value: "7 days" description: "UTC dates." }

  dimension: job_name {
    type: string
    label: "What runs"
    description: "postgres_pull, warehouse (the stored tables) and the like."
    sql: ${TABLE}.job_name ;;
  }

  dimension: env {
    type: string
    label: "Environment"
    description: "The environment that --env named; empty for the one without a name."
    sql: ${TABLE}.env ;;
  }

  measure: last_success {
    type: string
    label: "Up to date as of"
    description: "Start of the newest run that succeeded: what had arrived by then is in the tables that it writes. Empty where none has."
    sql: MAX(IF(status = 'completed', started_at, NULL)) ;;
  }

  measure: last_status {
    type: string
    label: "Last run"
    description: "State of the newest run."
    sql: ARRAY_AGG(status ORDER BY started_at DESC LIMIT 1)[OFFSET(0)] ;;
  }
}
