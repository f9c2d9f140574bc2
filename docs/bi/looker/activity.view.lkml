view: activity {
  derived_table: {
    sql:
      SELECT * FROM `@{project}.@{dataset}.user_activity_between`(
        DATE({% date_start dates %}),
        DATE_SUB(DATE({% date_end dates %}), INTERVAL 1 DAY)) ;;
  }

  filter: dates { type: date default_value: "7 days" description: "UTC dates." }

  dimension: activity_type {
    type: string
    label: "Step"
    description: "login, view_product, add_to_cart, remove_from_cart or logout."
    sql: ${TABLE}.activity_type ;;
  }

  measure: events {
    type: number
    label: "Events"
    description: "How often the step was taken."
    value_format_name: decimal_0
    sql: COUNT(*) ;;
  }

  measure: users {
    type: number
    label: "Users"
    description: "Different users who took the step."
    value_format_name: decimal_0
    sql: COUNT(DISTINCT user_id) ;;
  }
}
