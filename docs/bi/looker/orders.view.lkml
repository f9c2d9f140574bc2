view: orders {
  derived_table: {
    sql:
      SELECT * FROM `@{project}.@{dataset}.orders_current_between`(
        DATE({% date_start dates %}),
        DATE_SUB(DATE({% date_end dates %}), INTERVAL 1 DAY)) ;;
  }

  filter: dates { type: date default_value: "7 days" description: "UTC dates." }

  dimension: step_hour {
    type: date_hour
    label: "Hour of the last step"
    description: "UTC hour of the last event of the order."
    sql: TIMESTAMP_TRUNC(order_date, HOUR, 'UTC') ;;
  }

  dimension: status {
    type: string
    label: "Status"
    description: "How far the order is: pending, processing, shipped or delivered."
    sql: ${TABLE}.status ;;
  }

  measure: orders {
    type: number
    label: "Orders"
    description: "Orders, whatever their status."
    value_format_name: decimal_0
    sql: COUNT(*) ;;
  }

  measure: delivered_orders {
    type: number
    label: "Delivered"
    description: "Orders that are delivered."
    value_format_name: decimal_0
    sql: COUNTIF(status = 'delivered') ;;
  }

  measure: customers {
    type: number
    label: "Customers"
    description: "Customers of these orders."
    value_format_name: decimal_0
    sql: COUNT(DISTINCT customer_id) ;;
  }

  measure: revenue {
    type: number
    label: "Revenue"
    description: "Sum of total_amount of the orders, whatever their status."
    value_format_name: decimal_2
    sql: SUM(CAST(total_amount AS BIGNUMERIC)) ;;
  }

  measure: mean_order {
    type: number
    label: "Mean order"
    description: "Revenue over orders."
    value_format_name: decimal_2
    sql: SUM(CAST(total_amount AS BIGNUMERIC)) / COUNT(*) ;;
  }
}
