#!/bin/bash
# The same with curl alone, for an app in any language:
#   curl.sh publish projects/PROJECT/topics/TOPIC event.json
#   curl.sh query PROJECT.DATASET EVENT_ID DATE
# With PUBSUB_EMULATOR_HOST and BIGQUERY_EMULATOR_HOST it talks to the emulators, else to the cloud.
set -euo pipefail

post() { # URL, body
  local login=()
  case $1 in https://*) login=(-H "Authorization: Bearer $(gcloud auth print-access-token)") ;; esac
  curl --silent --show-error --fail-with-body ${login[@]+"${login[@]}"} \
    -H "Content-Type: application/json" --data "$2" "$1"
}

publish() { # topic, file
  local host=https://pubsub.googleapis.com data
  [ -z "${PUBSUB_EMULATOR_HOST:-}" ] || host=http://$PUBSUB_EMULATOR_HOST
  data=$(base64 <"$2" | tr -d '\n')
  post "$host/v1/$1:publish" "{\"messages\": [{\"data\": \"$data\"}]}"
}

query() { # dataset, event_id, date
  local host=${BIGQUERY_EMULATOR_HOST:-https://bigquery.googleapis.com}
  case $host in *://*) ;; *) host=http://$host ;; esac
  post "$host/bigquery/v2/projects/${1%.*}/queries" '{
    "query": "SELECT * FROM `'"$1"'.events_between`(@day, @day) WHERE event_id = @event_id",
    "useLegacySql": false,
    "parameterMode": "NAMED",
    "queryParameters": [
      {"name": "day", "parameterType": {"type": "DATE"}, "parameterValue": {"value": "'"$3"'"}},
      {"name": "event_id", "parameterType": {"type": "STRING"}, "parameterValue": {"value": "'"$2"'"}}
    ]
  }'
}

case ${1:-} in
publish | query) "$@" ;;
*) sed -n '2,5s/^# //p' "$0" >&2 && exit 2 ;;
esac
