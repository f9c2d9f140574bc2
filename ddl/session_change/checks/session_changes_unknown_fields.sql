-- warn (events): The sender adds no field that the contract does not know.
--   A row for each field in extra, with the name of the contract that it may stand for: apart from
--   case and signs such as underscores, one begins with the other (of at least six characters), or
--   at most two edits lie between them. transforms/decoding/unknown_fields.py counts by the same rule.
-- Of a path, 128 characters, the places in arrays aside; of paths, the hundred that matter most.
-- Rendered from schemas/session_change/v1.avsc by python -m ddl render: do not edit.
WITH
  facts AS (
    SELECT event_id, publish_ts, extra
    FROM `${project}.${dataset}.session_changes_fact`
    WHERE event_date BETWEEN @first_date AND @last_date AND extra IS NOT NULL
  ),
  -- JSON_KEYS puts quotation marks around a path.
  fields AS (
    SELECT
      REGEXP_REPLACE(LEFT(TRIM(field, '"'), 128), r'\[[0-9]+\]', '') AS field,
      COUNT(DISTINCT event_id) AS events,
      MIN(publish_ts) AS first_seen
    FROM facts
    CROSS JOIN UNNEST(JSON_KEYS(extra, 1)) AS field
    GROUP BY 1
  ),
  pairs AS (
    SELECT
      field,
      name,
      LOWER(REGEXP_REPLACE(field, r'[^A-Za-z0-9]', '')) AS spelt,
      LOWER(REGEXP_REPLACE(name, r'[^A-Za-z0-9]', '')) AS known
    FROM fields
    CROSS JOIN UNNEST([${contract_names}]) AS name
  ),
  nearest AS (
    SELECT field, name
    FROM pairs
    WHERE
      spelt = known
      OR (LENGTH(spelt) >= 6 AND STARTS_WITH(known, spelt))
      OR (LENGTH(known) >= 6 AND STARTS_WITH(spelt, known))
      OR (LENGTH(known) >= 6 AND EDIT_DISTANCE(spelt, known) <= 2)
    QUALIFY ROW_NUMBER() OVER (PARTITION BY field ORDER BY EDIT_DISTANCE(spelt, known), name) = 1
  )
SELECT
  IF(name IS NULL, field, CONCAT(field, ' (', name, '?)')) AS finding,
  first_seen,
  events
FROM fields
LEFT JOIN nearest USING (field)
ORDER BY name IS NULL, events DESC, field
LIMIT 100;
