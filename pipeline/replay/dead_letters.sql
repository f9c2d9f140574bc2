-- Dead letters to be replayed, the oldest first: of each message the last one. A replay is a message
-- of its own, whose attribute replay_of names the message that was replayed first; so a message and
-- all of its replays have one letter here. An attribute replay_of without a count is the sender's own.
-- Messages that share a message_id (two sources that number theirs alike) are told apart by source and
-- payload; of which of them a replay is, by event_id, else by payload, since a replay has a source of
-- its own. Letters of no family are replayed with whatever families are asked for: only the run can say
-- whether one of its families reads them by now. A letter of no family that is replayed may come back as
-- one of a family, so families are selected last. Of the fact tables, event_id is read as a whole.
WITH
  letters AS (
    SELECT
      message_id,
      error_kind,
      error_field,
      stage,
      event_family,
      event_id,
      source,
      failed_at,
      replay_count,
      attributes,
      payload,
      payload_truncated,
      IF(replay_count > 0, JSON_VALUE(attributes.replay_of), NULL) AS replay_of,
      TO_HEX(SHA256(payload)) AS digest
    FROM `${project}.${dataset}.dead_letters`
    WHERE failed_date >= @first_date
  ),
  chains AS (
    SELECT
      *,
      COALESCE(replay_of, message_id) AS chain,
      IF(replay_of IS NULL, CONCAT(COALESCE(source, ''), ' ', COALESCE(digest, '')), NULL) AS original
    FROM letters
  ),
  threads AS (
    SELECT
      *,
      IF(
        COALESCE(
          MIN(original) OVER (PARTITION BY chain) < MAX(original) OVER (PARTITION BY chain)
          OR MIN(event_id) OVER (PARTITION BY chain) < MAX(event_id) OVER (PARTITION BY chain),
          FALSE
        ),
        COALESCE(event_id, digest, ''),
        ''
      ) AS thread
    FROM chains
  ),
  last_letters AS (
    SELECT * EXCEPT (replay_of, digest, chain, original, thread)
    FROM threads
    WHERE TRUE
    QUALIFY
      -- Where there are replays, these alone; of them one, of messages one each.
      (original IS NULL OR LOGICAL_AND(original IS NOT NULL) OVER (PARTITION BY chain, thread))
      AND ROW_NUMBER() OVER (
        PARTITION BY chain, thread, original
        ORDER BY replay_count DESC, failed_at, message_id
      ) = 1
  )
SELECT
  * REPLACE (TO_JSON_STRING(attributes) AS attributes),
  COALESCE(
    CONCAT(event_family, ' ', event_id) IN (
      SELECT CONCAT(event_family, ' ', event_id)
      FROM (
    ${facts}
      )
    ),
    FALSE
  ) AS is_fact
FROM last_letters
WHERE
  (event_family IS NULL OR event_family IN UNNEST(@event_families))
  AND error_kind IN UNNEST(@error_kinds)
  AND failed_at >= @start
  AND failed_at < @end
ORDER BY failed_at, message_id;
