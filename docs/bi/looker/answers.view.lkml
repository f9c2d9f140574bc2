view: answers {
  derived_table: {
    sql:
      SELECT * FROM `@{project}.@{dataset}.events_between`(
        DATE({% date_start dates %}),
        DATE_SUB(DATE({% date_end dates %}), INTERVAL 1 DAY))
      WHERE event_type IN ('answer_submit', 'answer_resubmit') ;;
  }

  filter: dates { type: date default_value: "7 days" description: "UTC dates." }

  dimension: test_id {
    type: string
    label: "Test"
    description: "The test that the answer names."
    sql: ${TABLE}.test_id ;;
  }

  dimension: question_id {
    type: string
    label: "Question"
    description: "The question."
    sql: ${TABLE}.question_id ;;
  }

  dimension: session_id {
    type: string
    label: "Session"
    description: "One sitting of one student at one test."
    sql: ${TABLE}.session_id ;;
  }

  dimension: answer {
    type: string
    label: "Answer"
    description: "The answer as given."
    sql: ${TABLE}.answer ;;
  }

  dimension: is_correct_answer {
    type: yesno
    label: "Correct"
    description: "Whether it is right; empty where it is not graded."
    sql: ${TABLE}.is_correct_answer ;;
  }

  measure: answers {
    type: number
    label: "Times given"
    description: "Answers and resubmissions."
    value_format_name: decimal_0
    sql: COUNT(*) ;;
  }

  measure: sessions {
    type: number
    label: "Sessions"
    description: "Sessions that gave the answer."
    value_format_name: decimal_0
    sql: COUNT(DISTINCT session_id) ;;
  }
}
