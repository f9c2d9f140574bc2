view: questions {
  derived_table: {
    sql:
      SELECT * FROM `@{project}.@{dataset}.question_summary_between`(
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

  dimension: question_id {
    type: string
    label: "Question"
    description: "The question."
    sql: ${TABLE}.question_id ;;
  }

  measure: wrong_answers {
    type: number
    label: "Wrong answers"
    description: "Wrong first submissions; resubmissions are not among them."
    value_format_name: decimal_0
    sql: SUM(wrong_answers) ;;
  }

  measure: correct_answers {
    type: number
    label: "Correct answers"
    description: "Correct first submissions; resubmissions are not among them."
    value_format_name: decimal_0
    sql: SUM(correct_answers) ;;
  }

  measure: attempts {
    type: number
    label: "Attempts"
    description: "Answers and resubmissions."
    value_format_name: decimal_0
    sql: SUM(total_attempts) ;;
  }

  measure: wrong_rate {
    type: number
    label: "Wrong of attempts"
    description: "Wrong first submissions over all attempts."
    value_format_name: percent_1
    sql: COALESCE(SAFE_DIVIDE(SUM(wrong_answers), SUM(total_attempts)), 0) ;;
  }

  measure: resubmits {
    type: number
    label: "Resubmissions"
    description: "Resubmissions of an answer."
    value_format_name: decimal_0
    sql: SUM(total_resubmits) ;;
  }
}
