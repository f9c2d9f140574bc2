-- Dead letters to be replayed, the oldest first: of each message the last one. A replay is a message
-- of its own, whose attribute replay_of names the message that was replayed first; so a message and
-- all of its replays have one letter here. Of events_fact, event_id is read as a whole.
WITH
  letters AS (
    SELECT
      message_id,
      error_kind,
      error_field,
      stage,
      event_id,
      failed_at,
      replay_count,
      attributes,
      payload,
      payload_truncated
    FROM `${project}.${dataset}.dead_letters`
    WHERE failed_date >= @first_date AND event_family = @event_family
    QUALIFY
      ROW_NUMBER() OVER (
        PARTITION BY COALESCE(JSON_VALUE(attributes.replay_of), message_id)
        ORDER BY replay_count DESC, failed_at, message_id
      ) = 1
  )
SELECT
  * REPLACE (TO_JSON_STRING(attributes) AS attributes),
  event_id IS NOT NULL
  AND event_id IN (SELECT event_id FROM `${project}.${dataset}.events_fact`) AS is_fact
FROM letters
WHERE error_kind IN UNNEST(@error_kinds) AND failed_at >= @start AND failed_at < @end
ORDER BY failed_at, message_id;
