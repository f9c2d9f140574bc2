#!/usr/bin/env bash
# Starts, updates, rolls back and drains the streaming job: see docs/deploy.md.
#
# usage: deploy/launch.sh start TAG | update TAG [OLD=NEW,...] | rollback TAG | drain | status
#
# TAG names a template built by `make template`. The settings are variables that Terraform prints:
#   terraform -chdir=deploy/terraform output -raw launch_settings > settings.env
#   set -a; . settings.env; set +a
set -euo pipefail

: "${EVENT_FAMILIES:=exam_event}" # names separated by commas
: "${PSEUDONYM_KEYS:=}"           # NAME=projects/.../versions/N, separated by commas, oldest first

usage() {
  sed -n 's/^# usage: /usage: /p' "$0" >&2
  exit 2
}

fail() {
  echo "error: $1" >&2
  exit 1
}

job() {
  gcloud dataflow jobs list --project="$PROJECT" --region="$REGION" --status=active \
    --filter="name=$JOB_NAME" --format="value(id)" --limit=1
}

running_job() {
  local id
  id=$(job)
  [[ -n "$id" ]] || fail "no job named $JOB_NAME is running in $REGION"
  echo "$id"
}

# launch TAG [gcloud arguments]
launch() {
  local tag=$1
  shift
  gcloud dataflow flex-template run "$JOB_NAME" \
    --project="$PROJECT" --region="$REGION" \
    --template-file-gcs-location="gs://$BUCKET/templates/$tag.json" \
    --staging-location="gs://$BUCKET/staging" --temp-location="gs://$BUCKET/tmp" \
    --service-account-email="$SERVICE_ACCOUNT" \
    --subnetwork="$SUBNETWORK" --disable-public-ips \
    --enable-streaming-engine \
    --additional-experiments="streaming_mode_at_least_once,min_num_workers=$MIN_WORKERS" \
    --num-workers="$MIN_WORKERS" --max-workers="$MAX_WORKERS" --worker-machine-type="$MACHINE_TYPE" \
    --additional-user-labels="$LABELS" \
    --parameters="^;^input_subscription=$INPUT_SUBSCRIPTION;dead_letter_topic=$DEAD_LETTER_TOPIC;dataset=$DATASET;event_family=$EVENT_FAMILIES${PSEUDONYM_KEYS:+;pseudonym_key=$PSEUDONYM_KEYS};sdk_container_image=$REPOSITORY/exam-events:$tag" \
    --format="value(job.id)" "$@"
}

# Of the steps of a job of all families, those of a job of EVENT_FAMILIES. The steps of one family
# begin with its name only where a job reads several.
own_steps() {
  case "$EVENT_FAMILIES" in
    *,*) grep -E "^([A-Z]|(${EVENT_FAMILIES//,/|})/)" ;;
    *) sed -n -e '/^RouteEvents\//d' -e "s|^$EVENT_FAMILIES/||" -e '/^[A-Z]/p' ;;
  esac
}

# Stops an update that would lose the state and messages in flight of a renamed step.
# check_steps TAG [OLD=NEW,...]
check_steps() {
  local tag=$1 mapping=${2:-} id running known lost
  id=$(running_job)
  running=$(gcloud dataflow jobs describe "$id" --project="$PROJECT" --region="$REGION" --full \
    --format="value[delimiter='\n'](pipelineDescription.originalPipelineTransform[].name)")
  [[ -n "$running" ]] || fail "the running job's steps could not be read"
  known=$(gcloud storage cat "gs://$BUCKET/templates/$tag.steps.txt" | own_steps)
  known+=$'\n'$(tr ',' '\n' <<<"$mapping" | cut -d= -f1)
  lost=$(comm -23 <(sort -u <<<"$running") <(sort -u <<<"$known"))
  [[ -z "$lost" ]] || fail "$tag with $EVENT_FAMILIES has no step named $(paste -sd' ' <<<"$lost"): name the new step with OLD=NEW,..., or drain and start"
}

update() {
  check_steps "$@"
  launch "$1" --update ${2:+"--transform-name-mappings=$2"}
}

[[ $# -ge 1 ]] || usage
command=$1
shift
case "$command:$#" in
  start:1 | update:1 | update:2 | rollback:1 | drain:0 | status:0) ;;
  *) usage ;;
esac

for name in PROJECT REGION JOB_NAME BUCKET REPOSITORY SERVICE_ACCOUNT SUBNETWORK DATASET \
  INPUT_SUBSCRIPTION DEAD_LETTER_TOPIC MIN_WORKERS MAX_WORKERS MACHINE_TYPE LABELS; do
  [[ -n "${!name:-}" ]] || {
    echo "error: $name is not set: terraform -chdir=deploy/terraform output -raw launch_settings prints it" >&2
    exit 2
  }
done

case "$command" in
  start)
    [[ -z "$(job)" ]] || fail "a job named $JOB_NAME is running: update or drain it"
    launch "$1"
    ;;
  update | rollback) update "$@" ;;
  drain)
    id=$(running_job)
    gcloud dataflow jobs drain "$id" --project="$PROJECT" --region="$REGION"
    ;;
  status)
    id=$(running_job)
    gcloud dataflow jobs describe "$id" --project="$PROJECT" --region="$REGION" \
      --format="table(id,currentState,createTime)"
    ;;
esac
