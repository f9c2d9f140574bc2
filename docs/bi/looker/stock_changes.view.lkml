view: stock_changes {
  derived_table: {
    sql:
      SELECT * FROM `@{project}.@{dataset}.inventory_between`(
        DATE({% date_start dates %}),
        DATE_SUB(DATE({% date_end dates %}), INTERVAL 1 DAY)) ;;
  }

  filter: dates { type: date default_value: "7 days" description: "UTC dates." }

  dimension: changed_at {
    type: date_time
    label: "Time"
    description: "Event time of the change."
    sql: timestamp ;;
  }

  dimension: product_id {
    type: string
    label: "Product"
    description: "The product."
    sql: ${TABLE}.product_id ;;
  }

  dimension: warehouse_id {
    type: string
    label: "Warehouse"
    description: "The warehouse."
    sql: ${TABLE}.warehouse_id ;;
  }

  dimension: reason {
    type: string
    label: "Reason"
    description: "restock, return, sale or damage."
    sql: ${TABLE}.reason ;;
  }

  measure: changes {
    type: number
    label: "Changes"
    description: "Changes of the stock."
    value_format_name: decimal_0
    sql: COUNT(*) ;;
  }

  measure: pieces {
    type: number
    label: "Pieces"
    description: "Pieces that came in, less those that went out."
    value_format_name: decimal_0
    sql: SUM(quantity_change) ;;
  }
}
