-- warn: The app's verdict on an answer is that of the answer key.
SELECT 'first' AS finding, session_id, question_id, test_id, session_date
FROM `${project}.${dataset}.session_questions_fact_live_between`(@first_date, @last_date)
WHERE app_first_is_correct != first_is_correct
UNION ALL
SELECT 'final' AS finding, session_id, question_id, test_id, session_date
FROM `${project}.${dataset}.session_questions_fact_live_between`(@first_date, @last_date)
WHERE app_final_is_correct != final_is_correct;
