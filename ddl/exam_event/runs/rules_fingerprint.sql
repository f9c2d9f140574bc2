-- Changes with the lateness settings, and with the duration of a test that they leave to it.
SELECT
  CAST(
    BIT_XOR(
      FARM_FINGERPRINT(TO_JSON_STRING(STRUCT(test_id, duration_seconds, grace_seconds)))
    ) AS STRING
  )
FROM `${project}.${dataset}.lateness_rules`
