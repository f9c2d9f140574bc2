-- Changes whenever the table changes by which the lateness of every session is judged.
SELECT
  CAST(
    BIT_XOR(
      FARM_FINGERPRINT(TO_JSON_STRING(STRUCT(test_id, duration_seconds, grace_seconds)))
    ) AS STRING
  )
FROM `${project}.${dataset}.lateness_settings`
