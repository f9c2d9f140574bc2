CREATE OR REPLACE TABLE FUNCTION `${project}.${dataset}.wrong_answers_by_question_between`(first_date DATE, last_date DATE) AS
SELECT
  test_id,
  question_id,
  wrong_answers
FROM `${project}.${dataset}.question_summary_between`(first_date, last_date)
WHERE wrong_answers > 0
ORDER BY wrong_answers DESC, test_id, question_id;

CREATE OR REPLACE VIEW `${project}.${dataset}.wrong_answers_by_question` (
  test_id OPTIONS (description = "The test of the sessions: that of their first event."),
  question_id OPTIONS (description = "The question."),
  wrong_answers OPTIONS (description = "Number of wrong first submissions (answer_submit events; resubmissions are not among them).")
)
OPTIONS (description = "One row per test and question with wrong first submissions (answer_submit events; resubmissions are not among them), most first.") AS
SELECT *
FROM `${project}.${dataset}.wrong_answers_by_question_between`(DATE '${earliest_date}', DATE '${latest_date}')
ORDER BY wrong_answers DESC, test_id, question_id;
