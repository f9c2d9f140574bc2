CREATE OR REPLACE TABLE FUNCTION `${project}.${dataset}.wrong_answers_by_question_between`(first_date DATE, last_date DATE) AS
SELECT
  question_id,
  SUM(wrong_answers) AS wrong_answers
FROM `${project}.${dataset}.question_summary_between`(first_date, last_date)
WHERE wrong_answers > 0
GROUP BY question_id
ORDER BY wrong_answers DESC, question_id;

CREATE OR REPLACE VIEW `${project}.${dataset}.wrong_answers_by_question`
OPTIONS (description = "Questions that were answered wrongly, most wrong answers first.") AS
SELECT *
FROM `${project}.${dataset}.wrong_answers_by_question_between`(DATE '1960-01-01', DATE '2159-12-31')
ORDER BY wrong_answers DESC, question_id;
