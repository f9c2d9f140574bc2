-- The events of the dates and of eight days on either side: every partition that a session or a
-- copy of an event of those dates may reach into. Everything else reads events_fact through here.
CREATE OR REPLACE TABLE FUNCTION `${project}.${dataset}.events_around`(first_date DATE, last_date DATE) AS
SELECT *
FROM `${project}.${dataset}.events_fact`
WHERE event_date BETWEEN DATE_SUB(first_date, INTERVAL 8 DAY) AND DATE_ADD(last_date, INTERVAL 8 DAY)
QUALIFY ROW_NUMBER() OVER (PARTITION BY event_id ORDER BY publish_ts, message_id, ingest_ts) = 1;

CREATE OR REPLACE TABLE FUNCTION `${project}.${dataset}.events_between`(first_date DATE, last_date DATE) AS
SELECT *
FROM `${project}.${dataset}.events_around`(first_date, last_date)
WHERE event_date BETWEEN first_date AND last_date;

CREATE OR REPLACE VIEW `${project}.${dataset}.events`
OPTIONS (description = "One row per event_id: of its copies, the one published first.") AS
SELECT *
FROM `${project}.${dataset}.events_between`(DATE '1960-01-01', DATE '2159-12-31');
