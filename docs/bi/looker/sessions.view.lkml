view: sessions {
  derived_table: {
    sql:
      SELECT * FROM `@{project}.@{dataset}.session_summary_between`(
        DATE({% date_start dates %}),
        DATE_SUB(DATE({% date_end dates %}), INTERVAL 1 DAY)) ;;
  }

  filter: dates { type: date default_value: "7 days" description: "UTC dates." }

  dimension: test_id {
    type: string
    label: "Test"
    description: "The test of the session's first event."
    sql: ${TABLE}.test_id ;;
  }

  dimension: session_id {
    type: string
    label: "Session"
    description: "One sitting of one student at one test."
    sql: ${TABLE}.session_id ;;
  }

  dimension: start_hour {
    type: date_hour
    label: "Hour of the start"
    description: "UTC hour of the earliest session_start; sessions without one are left out."
    sql: TIMESTAMP_TRUNC(session_start_time, HOUR, 'UTC') ;;
  }

  dimension: end_hour {
    type: date_hour
    label: "Hour of the end"
    description: "UTC hour of the latest session_end; sessions without one are left out."
    sql: TIMESTAMP_TRUNC(session_end_time, HOUR, 'UTC') ;;
  }

  dimension: accuracy_band {
    type: number
    label: "Accuracy from"
    description: "Correct among the graded last answers of the session, rounded down to a tenth; 100 % is in the band from 90 %. Sessions without a graded answer are left out."
    value_format_name: percent_1
    sql: LEAST(DIV(10 * final_correct_answers, NULLIF(final_correct_answers + final_wrong_answers, 0)), 9) / 10 ;;
  }

  dimension: started {
    type: date_time
    label: "Started"
    description: "When the session started; empty where no session_start has arrived."
    sql: session_start_time ;;
  }

  measure: sessions {
    type: number
    label: "Sessions"
    description: "Sessions, incomplete ones included."
    value_format_name: decimal_0
    sql: COUNT(*) ;;
  }

  measure: started_sessions {
    type: number
    label: "Started"
    description: "Sessions with a session_start."
    value_format_name: decimal_0
    sql: COUNTIF(session_start_time IS NOT NULL) ;;
  }

  measure: answering_sessions {
    type: number
    label: "Answered"
    description: "Sessions with at least one answer."
    value_format_name: decimal_0
    sql: COUNTIF(total_answers_submitted > 0) ;;
  }

  measure: submitted_sessions {
    type: number
    label: "Submitted the test"
    description: "Sessions in which the test was submitted."
    value_format_name: decimal_0
    sql: SUM(test_submit_flag) ;;
  }

  measure: completed_sessions {
    type: number
    label: "Completed"
    description: "Sessions with both a session_start and a session_end."
    value_format_name: decimal_0
    sql: COUNTIF(is_complete) ;;
  }

  measure: answers {
    type: number
    label: "Answers"
    description: "Answers and resubmissions."
    value_format_name: decimal_0
    sql: SUM(total_answers_submitted) ;;
  }

  measure: accuracy {
    type: number
    label: "Accuracy"
    description: "Correct among the graded last answers, the last of each session and question, resubmissions included."
    value_format_name: percent_1
    sql: SAFE_DIVIDE(SUM(final_correct_answers), SUM(final_correct_answers) + SUM(final_wrong_answers)) ;;
  }

  measure: late_submissions {
    type: number
    label: "Late submissions"
    description: "Answers and test submissions after their deadline and grace period."
    value_format_name: decimal_0
    sql: SUM(late_submissions) ;;
  }

  measure: duration {
    type: number
    label: "Mean duration"
    description: "Mean time from the start to the end or last event, of sessions with a start."
    sql: AVG(duration_seconds) ;;
  }
}
