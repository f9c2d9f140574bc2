import pytest
from apache_beam.options.pipeline_options import GoogleCloudOptions, StandardOptions

from pipeline.config import MicroBatch, WriteMethod
from pipeline.options import UsageError, parse
from tests.support.commands import BATCHES, BOUNDED, STREAM


def runner(argv):
    return parse(argv)[1].view_as(StandardOptions).runner


def test_a_subscription_is_streamed_on_the_runner_that_has_pubsub():
    config, options = parse(STREAM)
    assert config.input.name == "projects/local-exams/subscriptions/events"
    assert options.view_as(StandardOptions).streaming
    assert options.view_as(GoogleCloudOptions).project == "local-exams"
    assert runner(STREAM) == "BundleBasedDirectRunner"
    assert runner([*STREAM, "--runner=DirectRunner"]) == "BundleBasedDirectRunner"


def test_a_file_is_read_on_the_runner_that_fuses():
    config, options = parse(BOUNDED)
    assert config.input.name == "events.jsonl"
    assert not options.view_as(StandardOptions).streaming
    assert runner(BOUNDED).endswith("FnApiRunner")


def test_batches_of_a_subscription_are_run_like_a_file():
    config, options = parse([*BATCHES, "--micro_batch_max_seconds=0.5"])
    assert config.input.name == "projects/local-exams/subscriptions/events"
    assert config.micro_batch == MicroBatch(5_000, 0.5, None)
    assert not options.view_as(StandardOptions).streaming
    assert runner(BATCHES).endswith("FnApiRunner")
    assert runner([*BATCHES, "--runner=direct"]).endswith("FnApiRunner")
    assert parse(STREAM)[0].micro_batch is None


def test_a_runner_of_the_users_choice_stays():
    assert runner([*STREAM, "--runner=DataflowRunner"]) == "DataflowRunner"
    assert runner([*STREAM, "--runner=dataflow"]) == "DataflowRunner"
    assert runner([*BOUNDED, "--runner=PrismRunner"]) == "PrismRunner"


def test_rows_go_by_the_storage_write_api_unless_told_otherwise():
    assert parse(BOUNDED)[0].write_method is WriteMethod.STORAGE_WRITE_API
    config, _ = parse([*BOUNDED, "--write_method=STREAMING_INSERTS"])
    assert config.write_method is WriteMethod.STREAMING_INSERTS
    with pytest.raises(UsageError, match="--write_method"):
        parse([*BOUNDED, "--write_method=FILE_LOADS"])


def test_event_time_bounds_come_from_options():
    config, _ = parse([*BOUNDED, "--max_event_age_days=30", "--max_event_ahead_days=0"])
    assert (config.bounds.max_age.days, config.bounds.max_ahead.days) == (30, 0)


def test_no_id_label_unless_asked_for():
    assert parse(STREAM)[0].input.id_label is None
    on_dataflow = [*STREAM, "--id_label=event_id", "--runner=dataflow"]
    assert parse(on_dataflow)[0].input.id_label == "event_id"


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        ([], "--dataset"),
        (["--dataset=local-exams.exams"], "give one of"),
        ([*STREAM, "--input=events.jsonl"], "give one of"),
        (["--input=events.jsonl", "--dataset=exams"], "PROJECT.DATASET"),
        (["--input=events.jsonl", "--dataset=local-exams.a`; DROP"], "PROJECT.DATASET"),
        (["--input=events.csv", "--dataset=local-exams.exams"], ".jsonl or .avro"),
        ([*BOUNDED, "--datset=local-exams.exams"], "--datset"),
        ([*BOUNDED, "--publish_time=yesterday"], "RFC 3339"),
        ([*BOUNDED, "--publish_time=2026-01-01T00:00:00"], "offset"),
        ([*BOUNDED, "--max_event_age_days=0"], "--max_event_age_days"),
        ([*BOUNDED, "--max_event_age_days=old"], "--max_event_age_days"),
        ([*BOUNDED, "--max_event_age_days=9999999999"], "--max_event_age_days"),
        ([*BOUNDED, "--session_start_wait_seconds=0"], "--session_start_wait_seconds"),
        ([*STREAM, "--id_label=event_id"], "Dataflow only"),
        ([*STREAM, "--runner=FnApiRunner"], "FnApiRunner cannot read Pub/Sub"),
        ([*STREAM, "--runner=PrismRunner"], "PrismRunner cannot read Pub/Sub"),
        ([*BOUNDED, "--dead_letter_topic=dead-letters"], "projects/PROJECT/topics/NAME"),
        ([*BOUNDED, "--event_family=lessons"], "--event_family"),
        (
            [*BATCHES, "--micro_batch_max_messages=0"],
            "max_messages: must be a whole number from 1 to",
        ),
        (
            [*BATCHES, "--micro_batch_max_seconds=-1"],
            "max_seconds: must be a number from 0 to 600",
        ),
        (
            [*BATCHES, "--metrics_port=99999"],
            "--metrics_port: must be a whole number",
        ),
        ([*BATCHES, "--runner=DataflowRunner"], "leave out --runner"),
        ([*BATCHES, "--id_label=event_id"], "Dataflow only"),
        ([*BOUNDED, "--micro_batch"], "--micro_batch takes its messages"),
        ([*BATCHES, "--direct_running_mode=multi_processing"], "runs in this process"),
        ([*BATCHES, "--direct_num_workers=2"], "runs in this process"),
        ([*STREAM, "--metrics_port=9109"], "--metrics_port goes with --micro_batch"),
        ([*STREAM, "--micro_batch_max_seconds=2"], "goes with --micro_batch"),
        (STREAM[:1] + STREAM[2:], "--dead_letter_topic is required"),
        (["--input_subscription=events", *STREAM[1:]], "projects/PROJECT/subscriptions/NAME"),
    ],
)
def test_wrong_arguments_get_one_line_that_names_them(argv, says):
    with pytest.raises(UsageError) as refused:
        parse(argv)
    assert says in str(refused.value)
    assert "\n" not in str(refused.value)
