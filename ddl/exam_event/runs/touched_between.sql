-- The sessions of the dates, by the events and as they are stored.
SELECT session_id, session_date AS day
FROM `${project}.${dataset}.session_totals_between`(run_first_date, run_last_date)
UNION ALL
SELECT session_id, session_date AS day
FROM `${project}.${dataset}.sessions_fact`
WHERE session_date BETWEEN run_first_date AND run_last_date
