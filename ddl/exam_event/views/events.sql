-- The events of the dates and of the margin on either side: every partition that a session or a
-- copy of an event of those dates may reach into. Everything else reads events_fact through here.
--
-- Of an event's copies the first is kept, as the pipeline wrote it, with an answer shown as an
-- answer_submit or answer_resubmit. The STRUCT recomputed holds its lateness with every
-- session_start in the warehouse, the settings of today and, rule 0, what the operational database
-- says by now. The rule in Python, which knows no database, is transforms/lateness/rule.py.
CREATE OR REPLACE TABLE FUNCTION `${project}.${dataset}.judged_events_with_margin`(first_date DATE, last_date DATE) AS
WITH
  kept AS (
    SELECT *
    FROM `${project}.${dataset}.events_fact`
    WHERE event_date BETWEEN DATE_SUB(first_date, INTERVAL ${margin_days} DAY) AND DATE_ADD(last_date, INTERVAL ${margin_days} DAY)
    QUALIFY ROW_NUMBER() OVER (PARTITION BY event_id ORDER BY publish_ts, message_id, ingest_ts) = 1
  ),
  -- Of a session's answers to a question the first is a submission, any other a resubmission.
  named AS (
    SELECT
      * EXCEPT (is_first_answer)
      REPLACE (
        CASE
          WHEN event_type != 'answer' THEN event_type
          WHEN is_first_answer THEN 'answer_submit'
          ELSE 'answer_resubmit'
        END AS event_type
      )
    FROM (
      SELECT
        *,
        ROW_NUMBER() OVER (
          PARTITION BY session_id, question_id, event_type IN ('answer_submit', 'answer_resubmit', 'answer')
          ORDER BY client_ts, publish_ts, event_id
        ) = 1 AS is_first_answer
      FROM kept
    )
  ),
  -- One row each, so that no row of the table can double an event or lose it.
  test_settings AS (
    SELECT
      test_id,
      MAX(duration_seconds) AS test_duration_seconds,
      MAX(grace_seconds) AS test_grace_seconds
    FROM `${project}.${dataset}.lateness_rules`
    GROUP BY test_id
  ),
  default_settings AS (
    SELECT
      MAX(test_duration_seconds) AS default_duration_seconds,
      MAX(test_grace_seconds) AS default_grace_seconds
    FROM test_settings
    WHERE test_id IS NULL
  ),
  -- Rule 1: the earliest session_start alone speaks for its session.
  with_start AS (
    SELECT
      *,
      event_type IN ('answer_submit', 'answer_resubmit', 'test_submit') AS is_submission,
      FIRST_VALUE(
        IF(
          event_type = 'session_start',
          STRUCT(
            COALESCE(session_start_ts, client_ts) AS start_ts,
            session_duration_seconds AS duration_seconds,
            session_expiry_ts AS expiry_ts,
            ingest_ts
          ),
          NULL
        )
      ) OVER (PARTITION BY session_id ORDER BY event_type = 'session_start' DESC, client_ts, event_id) AS start
    FROM named
  ),
  -- Rule 2: the first deadline that can be built.
  with_deadline AS (
    SELECT
      event.*,
      IF(
        is_submission,
        COALESCE(
          database_session.expiry_ts,
          session_expiry_ts,
          TIMESTAMP_ADD(session_start_ts, INTERVAL session_duration_seconds SECOND),
          start.expiry_ts,
          TIMESTAMP_ADD(
            COALESCE(session_start_ts, start.start_ts),
            INTERVAL COALESCE(
              session_duration_seconds,
              start.duration_seconds,
              test_duration_seconds,
              default_duration_seconds
            ) SECOND
          )
        ),
        NULL
      ) AS deadline,
      CASE
        WHEN database_session.expiry_ts IS NOT NULL THEN 'database'
        WHEN session_expiry_ts IS NOT NULL THEN 'payload'
        WHEN session_start_ts IS NOT NULL AND session_duration_seconds IS NOT NULL THEN 'payload'
        WHEN start.expiry_ts IS NOT NULL THEN 'session'
        WHEN session_duration_seconds IS NOT NULL THEN 'mixed'
        WHEN start.duration_seconds IS NOT NULL THEN IF(session_start_ts IS NULL, 'session', 'mixed')
        WHEN test_duration_seconds IS NOT NULL THEN 'test'
        ELSE 'default'
      END AS deadline_from,
      COALESCE(test_grace_seconds, default_grace_seconds, 0) AS grace_seconds
    FROM with_start AS event
    LEFT JOIN test_settings USING (test_id)
    LEFT JOIN `${project}.${dataset}.sessions_dim_with_margin`(first_date, last_date) AS database_session USING (session_id)
    CROSS JOIN default_settings
  ),
  -- Rule 3: a deadline decides; the app's own verdict stands in only where there is none.
  with_verdict AS (
    SELECT
      *,
      IF(
        is_submission,
        COALESCE(
          client_ts > TIMESTAMP_ADD(deadline, INTERVAL grace_seconds SECOND),
          client_is_late_submission
        ),
        NULL
      ) AS is_late
    FROM with_deadline
  )
SELECT
  * EXCEPT (is_submission, start, deadline, deadline_from, grace_seconds, is_late),
  start.ingest_ts AS start_ingest_ts,
  STRUCT(
    is_late AS is_late_submission,
    CASE
      WHEN NOT is_submission THEN 'NOT_APPLICABLE'
      WHEN is_late THEN 'LATE'
      WHEN NOT is_late THEN 'ON_TIME'
      ELSE 'UNKNOWN'
    END AS late_status,
    IF(is_late, TIMESTAMP_DIFF(client_ts, deadline, MICROSECOND) / 1000000, NULL) AS late_by_seconds,
    deadline AS deadline_ts,
    CASE
      WHEN deadline IS NOT NULL THEN deadline_from
      WHEN is_late IS NOT NULL THEN 'client'
    END AS deadline_source
  ) AS recomputed
FROM with_verdict;

CREATE OR REPLACE TABLE FUNCTION `${project}.${dataset}.events_with_margin`(first_date DATE, last_date DATE) AS
SELECT
  * EXCEPT (start_ingest_ts, recomputed)
  REPLACE (
    recomputed.is_late_submission AS is_late_submission,
    recomputed.late_status AS late_status,
    recomputed.late_by_seconds AS late_by_seconds,
    recomputed.deadline_ts AS deadline_ts,
    recomputed.deadline_source AS deadline_source
  )
FROM `${project}.${dataset}.judged_events_with_margin`(first_date, last_date);

CREATE OR REPLACE TABLE FUNCTION `${project}.${dataset}.events_between`(first_date DATE, last_date DATE) AS
SELECT *
FROM `${project}.${dataset}.events_with_margin`(first_date, last_date)
WHERE event_date BETWEEN first_date AND last_date;

-- A column without OPTIONS has the description of the column of events_fact.
CREATE OR REPLACE VIEW `${project}.${dataset}.events` (
  event_id,
  event_type OPTIONS (description = "What happened: session_start, session_end, page_view, answer_submit, answer_resubmit or test_submit. An answer of a sender that does not count attempts is an answer_submit where it is the session's first to its question by client_ts, publish_ts and event_id, else an answer_resubmit."),
  test_id,
  student_id,
  session_id,
  client_ts,
  question_id,
  answer,
  is_correct_answer,
  attempt_no,
  session_start_ts,
  session_expiry_ts,
  session_duration_seconds,
  is_late_submission OPTIONS (description = "Whether client_ts lies after the deadline and the grace period, recomputed with every session_start and session change in the warehouse and the settings of today. Null where it is unknown or does not apply."),
  error_payload,
  extra,
  event_date,
  publish_ts,
  ingest_ts,
  message_id,
  late_status OPTIONS (description = "ON_TIME, LATE, UNKNOWN (no deadline and no verdict of the app) or NOT_APPLICABLE (not a submission), recomputed like is_late_submission."),
  late_by_seconds OPTIONS (description = "client_ts - deadline_ts in seconds, where the submission is late and has a deadline; recomputed like is_late_submission."),
  deadline_ts OPTIONS (description = "When the session expired, before the grace period; recomputed like is_late_submission."),
  deadline_source OPTIONS (description = "Where the deadline came from: database (the expiry that sessions_dim has), payload, session, test, default, mixed or client (the verdict of the app, without a deadline); recomputed like is_late_submission."),
  client_is_late_submission,
  pipeline_version,
  contract_version,
  completion_status
)
OPTIONS (description = "One row per event_id: of its copies, the one published first, its lateness recomputed.") AS
SELECT *
FROM `${project}.${dataset}.events_between`(DATE '${earliest_date}', DATE '${latest_date}');
