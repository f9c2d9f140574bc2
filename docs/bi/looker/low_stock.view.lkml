view: low_stock {
  derived_table: {
    sql:
      SELECT * FROM `@{project}.@{dataset}.stock_levels_between`(
        DATE '1960-01-01',
        DATE_SUB(DATE({% date_end dates %}), INTERVAL 1 DAY))
      WHERE is_low ;;
  }

  filter: dates { type: date default_value: "7 days" description: "UTC dates." }

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

  measure: quantity {
    type: number
    label: "Pieces in stock"
    description: "The sum of the changes."
    value_format_name: decimal_0
    sql: SUM(quantity) ;;
  }

  measure: last_change {
    type: string
    label: "Last change"
    description: "Event time of the last change."
    sql: MAX(last_change_ts) ;;
  }
}
