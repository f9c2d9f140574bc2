"""The option --pseudonym_key: what it takes, where secrets are read, and what is refused."""

import pickle
from concurrent import futures

import grpc
import pytest
from google.cloud import secretmanager
from google.cloud.secretmanager_v1.services.secret_manager_service.transports import (
    SecretManagerServiceGrpcTransport,
)

from gcp import secrets
from pipeline.options import UsageError, parse
from pipeline.preflight import StartupError, UncheckedError, check_keys
from pipeline.pseudonym.keys import PseudonymKeys
from tests.support.commands import BOUNDED, STREAM
from tests.support.families import ID, TIMESTAMP, enum, field, record, registered
from tests.support.pseudonyms import KEYS, OPTIONS, VARIABLES, expected

VERSION = "projects/local-exams/secrets/k1/versions/{}"
LESSON = record(
    "Lesson", field("event_id", ID), field("event_type", enum("lesson")), field("at", TIMESTAMP)
)


@pytest.fixture
def secret_manager(monkeypatch):
    """Secret Manager with version 1; 2 is refused, 3 is destroyed, 4 is too short.

    A fake behind the real client, since there is no emulator of Secret Manager.
    """

    def access(request, context):
        match request.name.rpartition("/")[2]:
            case "1":
                data = KEYS["k1"].encode() + b"\n"
            case "2":
                context.abort(grpc.StatusCode.PERMISSION_DENIED, "denied")
            case "3":
                context.abort(grpc.StatusCode.FAILED_PRECONDITION, "destroyed")
            case "4":
                data = b"short"
            case _:
                context.abort(grpc.StatusCode.NOT_FOUND, "not found")
        return secretmanager.AccessSecretVersionResponse(payload={"data": data})

    handler = grpc.unary_unary_rpc_method_handler(
        access,
        request_deserializer=secretmanager.AccessSecretVersionRequest.deserialize,
        response_serializer=secretmanager.AccessSecretVersionResponse.serialize,
    )
    service = "google.cloud.secretmanager.v1.SecretManagerService"
    handlers = grpc.method_handlers_generic_handler(service, {"AccessSecretVersion": handler})
    server = grpc.server(futures.ThreadPoolExecutor(1))
    server.add_generic_rpc_handlers((handlers,))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    client = secretmanager.SecretManagerServiceClient

    def local():
        channel = grpc.insecure_channel(f"127.0.0.1:{port}", [("grpc.enable_http_proxy", 0)])
        return client(transport=SecretManagerServiceGrpcTransport(channel=channel))

    monkeypatch.setattr(secretmanager, "SecretManagerServiceClient", local)
    secrets._access.cache_clear()
    yield
    secrets._access.cache_clear()
    server.stop(None).wait()


def keys(*given):
    return parse([*BOUNDED, *(f"--pseudonym_key={each}" for each in given)])[0].pseudonyms


def test_a_secret_is_a_version_a_file_or_a_variable(secret_manager, tmp_path, monkeypatch):
    (tmp_path / "key").write_text(f"{KEYS['k1']}\r\n")
    monkeypatch.setenv("MY_KEY", KEYS["k1"])
    for secret in (VERSION.format(1), f"file:{tmp_path}/key", "env:MY_KEY"):
        chain = pickle.loads(pickle.dumps(keys(f"k1={secret}"))).read()  # noqa: S301
        assert chain.pseudonym("s1") == expected("s1", "k1")


def test_several_keys_are_a_chain_in_their_order(monkeypatch):
    for name, variable in VARIABLES.items():
        monkeypatch.setenv(variable, KEYS[name])
    twice = keys(*(option.removeprefix("--pseudonym_key=") for option in OPTIONS))
    at_once = keys(",".join(option.removeprefix("--pseudonym_key=") for option in OPTIONS))
    assert twice == at_once
    assert twice.read().pseudonym("s1") == expected("s1", "k1", "k2")
    assert keys() is None


@pytest.mark.parametrize(
    "given",
    [
        "",
        "k1",
        "K1=env:KEY",
        "k1=env:",
        "k1=file:relative",
        f"k1={KEYS['k1']}",
        f"k1={VERSION.format('latest')}",
        f"{'k' * 17}=env:KEY",
    ],
)
def test_what_is_no_reference_is_a_wrong_argument_and_not_shown(given):
    with pytest.raises(UsageError, match=r"^--pseudonym_key: ") as raised:
        keys(given)
    assert KEYS["k1"] not in str(raised.value)


def test_a_name_counts_once():
    with pytest.raises(UsageError, match=r"^--pseudonym_key: k1 is given twice$"):
        keys("k1=env:A", "k1=env:B")


@pytest.mark.parametrize("secret", ["env:KEY", "file:/key"])
def test_workers_of_dataflow_have_only_secret_manager(secret):
    with pytest.raises(UsageError, match=f"^--pseudonym_key: workers do not have {secret}$"):
        parse([*STREAM, "--runner=DataflowRunner", f"--pseudonym_key=k1={secret}"])
    parse([*STREAM, "--runner=DataflowRunner", f"--pseudonym_key=k1={VERSION.format(1)}"])


@pytest.mark.parametrize(
    ("secret", "line"),
    [
        ("env:NO_SUCH_KEY", "env:NO_SUCH_KEY: the environment variable NO_SUCH_KEY is not set"),
        ("file:/no/such/key", "file:/no/such/key: No such file or directory"),
        ("env:SHORT", "--pseudonym_key: key k1 has 31 bytes: it needs at least 32"),
        (VERSION.format(4), "--pseudonym_key: key k1 has 5 bytes: it needs at least 32"),
        (VERSION.format(3), f"{VERSION.format(3)} is disabled or destroyed: enable it"),
        (VERSION.format(9), f"{VERSION.format(9)} does not exist: add it in Secret Manager first"),
    ],
)
def test_a_secret_that_is_no_key_is_one_line_at_the_start(
    secret, line, secret_manager, monkeypatch
):
    monkeypatch.setenv("SHORT", "x" * 31)
    with pytest.raises(StartupError) as raised:
        check_keys(PseudonymKeys((("k1", secret),)))
    assert str(raised.value) == line


def test_a_launcher_need_not_read_the_secret(secret_manager):
    with pytest.raises(UncheckedError, match=r"secretmanager\.secretAccessor"):
        check_keys(PseudonymKeys((("k1", VERSION.format(2)),)))


def test_a_family_that_needs_pseudonyms_does_not_start_without_a_key():
    with registered(
        LESSON, name="lessons", table="lessons_fact", event_time="at", needs_pseudonyms=True
    ):
        options = [*BOUNDED, "--event_family=exam_event,lessons"]
        with pytest.raises(UsageError) as raised:
            parse(options)
        assert str(raised.value) == "events of lessons need --pseudonym_key NAME=SECRET"
        assert parse([*options, "--pseudonym_key=k1=env:KEY"])[0].pseudonyms is not None
