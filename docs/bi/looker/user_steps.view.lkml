view: user_steps {
  derived_table: {
    sql:
      SELECT * FROM `@{project}.@{dataset}.user_funnel_between`(
        DATE({% date_start dates %}),
        DATE_SUB(DATE({% date_end dates %}), INTERVAL 1 DAY)) ;;
  }

  filter: dates { type: date default_value: "7 days" description: "UTC dates." }

  dimension: event_date {
    type: date
    label: "Date"
    description: "UTC date of the activity."
    sql: ${TABLE}.event_date ;;
  }

  dimension: step {
    type: number
    label: "Place"
    description: "Place of the step: 1 is login, 5 is logout."
    value_format_name: decimal_0
    sql: ${TABLE}.step ;;
  }

  dimension: activity_type {
    type: string
    label: "Step"
    description: "login, view_product, add_to_cart, remove_from_cart or logout."
    sql: ${TABLE}.activity_type ;;
  }

  measure: user_days {
    type: number
    label: "Users"
    description: "Users who took the step, each once a day."
    value_format_name: decimal_0
    sql: SUM(users) ;;
  }

  measure: steps {
    type: number
    label: "Events"
    description: "How often the step was taken."
    value_format_name: decimal_0
    sql: SUM(events) ;;
  }

  measure: conversion {
    type: number
    label: "Of those who logged in"
    description: "Of the users who logged in that day, the share who took the step that day too; of several days, their mean. Empty where nobody logged in."
    value_format_name: percent_1
    sql: AVG(conversion) ;;
  }
}
