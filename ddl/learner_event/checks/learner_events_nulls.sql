-- fail: A fact has a value in every field that the contract requires.
-- Rendered from schemas/learner_event/v1.avsc by python -m ddl render: do not edit.
WITH
  facts AS (
    SELECT *
    FROM `${project}.${dataset}.learner_events_fact`
    WHERE event_date BETWEEN @first_date AND @last_date
  )
SELECT finding, event_id, event_type, message_id, event_date
FROM facts
CROSS JOIN UNNEST([
  IF(contract_version IS NULL, 'contract_version', NULL)
]) AS finding
WHERE finding IS NOT NULL;
