view: facts {
  derived_table: {
    sql:
      SELECT * FROM `@{project}.@{dataset}.events_fact`
      WHERE event_date BETWEEN DATE({% date_start dates %})
        AND DATE_SUB(DATE({% date_end dates %}), INTERVAL 1 DAY) ;;
  }

  filter: dates { type: date default_value: "7 days" description: "UTC dates." }

  dimension: test_id {
    type: string
    label: "Test"
    description: "The test that the event names."
    sql: ${TABLE}.test_id ;;
  }

  dimension: publish_hour {
    type: date_hour
    label: "Hour of publishing"
    description: "UTC hour in which Pub/Sub took the message."
    sql: TIMESTAMP_TRUNC(publish_ts, HOUR, 'UTC') ;;
  }

  measure: events {
    type: number
    label: "Events"
    description: "Distinct events."
    value_format_name: decimal_0
    sql: COUNT(DISTINCT event_id) ;;
  }

  measure: duplicates {
    type: number
    label: "Duplicates"
    description: "Messages beyond the first of their event."
    value_format_name: decimal_0
    sql: COUNT(DISTINCT message_id) - COUNT(DISTINCT event_id) ;;
  }

  measure: median_delay {
    type: number
    label: "Median delay"
    description: "Median time from publishing to the row, over all messages."
    sql: APPROX_QUANTILES(TIMESTAMP_DIFF(ingest_ts, publish_ts, MILLISECOND) / 1000, 100)[SAFE_OFFSET(50)] ;;
  }

  measure: slow_delay {
    type: number
    label: "95 % within"
    description: "The time from publishing to the row that 95 of 100 messages stay below."
    sql: APPROX_QUANTILES(TIMESTAMP_DIFF(ingest_ts, publish_ts, MILLISECOND) / 1000, 100)[SAFE_OFFSET(95)] ;;
  }

  measure: newest_row {
    type: string
    label: "Newest row"
    description: "When the newest row was made."
    sql: MAX(ingest_ts) ;;
  }
}
