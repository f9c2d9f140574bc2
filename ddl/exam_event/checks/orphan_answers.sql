-- warn: Answers belong to a session whose session_start has come.
SELECT 'answer' AS what, SUM(total_answers_submitted) AS found
FROM `${project}.${dataset}.session_summary_between`(@first_date, @last_date)
WHERE session_start_time IS NULL
HAVING SUM(total_answers_submitted) > 0;
