-- Every day with any activity has all five steps. Conversion looks only at users who logged in that
-- day, so that a visit across midnight does not take it above 1.
CREATE OR REPLACE TABLE FUNCTION `${project}.${dataset}.user_funnel_between`(first_date DATE, last_date DATE) AS
WITH
  users AS (
    SELECT
      event_date,
      user_id,
      COUNTIF(activity_type = 'login') AS logins,
      COUNTIF(activity_type = 'view_product') AS views,
      COUNTIF(activity_type = 'add_to_cart') AS additions,
      COUNTIF(activity_type = 'remove_from_cart') AS removals,
      COUNTIF(activity_type = 'logout') AS logouts
    FROM `${project}.${dataset}.user_activity_between`(first_date, last_date)
    GROUP BY event_date, user_id
  ),
  steps AS (
    SELECT
      event_date,
      step,
      logins > 0 AS logged_in,
      CASE step WHEN 1 THEN logins WHEN 2 THEN views WHEN 3 THEN additions WHEN 4 THEN removals ELSE logouts END AS times
    FROM users
    CROSS JOIN UNNEST([1, 2, 3, 4, 5]) AS step
  )
SELECT
  event_date,
  step,
  CASE step
    WHEN 1 THEN 'login'
    WHEN 2 THEN 'view_product'
    WHEN 3 THEN 'add_to_cart'
    WHEN 4 THEN 'remove_from_cart'
    ELSE 'logout'
  END AS activity_type,
  COUNTIF(times > 0) AS users,
  SUM(times) AS events,
  SAFE_DIVIDE(COUNTIF(logged_in AND times > 0), COUNTIF(logged_in)) AS conversion
FROM steps
GROUP BY event_date, step;

CREATE OR REPLACE VIEW `${project}.${dataset}.user_funnel` (
  event_date OPTIONS (description = "UTC date of the activity."),
  step OPTIONS (description = "Place of the step in the funnel: 1 login, 2 view_product, 3 add_to_cart, 4 remove_from_cart, 5 logout."),
  activity_type OPTIONS (description = "The step."),
  users OPTIONS (description = "Number of users who took the step that day."),
  events OPTIONS (description = "Number of times that it was taken that day."),
  conversion OPTIONS (description = "Of the users who logged in that day, the share who took the step that day too, from 0 to 1; null where nobody logged in.")
)
OPTIONS (description = "One row per day with activity and step of the funnel.") AS
SELECT *
FROM `${project}.${dataset}.user_funnel_between`(DATE '${earliest_date}', DATE '${latest_date}');
