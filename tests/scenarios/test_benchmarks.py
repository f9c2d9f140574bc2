"""Each benchmark on a few events: that it measures something; how fast it is, no test says."""

import math

import pytest

from benchmarks.harness.registry import BENCHMARKS

KEYS = {
    "decode": {
        "decode_vs_orjson",
        "decode_vs_pydantic",
        "decode_vs_fastavro",
        "decode_vs_jsonschema",
        "row_vs_orjson",
    },
    "graph": {"graph_vs_identity", "graph_vs_naive"},
    "families": {"routing_cost", "nested_vs_exam", "nested_vs_exam_by_kilobyte"},
    "sinks": {"sink_rows_ratio", "sink_billed_bytes_ratio"},
    "growth": {"memory_growth", "time_growth"},
    "history": {"history_growth"},
    "mastery": {"mastery_simulated_vs_flat_prior", "mastery_simulated_vs_fitted_bkt"},
    "stream": {
        "stream_per_second",
        "stream_p50_seconds",
        "stream_p95_seconds",
        "stream_p99_seconds",
    },
    "one_machine": {"one_machine_vs_script", "one_machine_p95_seconds"},
}


@pytest.mark.timeout(900)  # the longest start four pipelines and wait for their messages
@pytest.mark.parametrize("name", BENCHMARKS)
def test_gives_its_figures(name, request, bigquery_emulator):
    if name in ("stream", "one_machine"):
        request.getfixturevalue("pubsub_emulator")
    figures = BENCHMARKS[name](True)
    keys = [figure.key for figure in figures]
    assert len(set(keys)) == len(keys)
    assert KEYS.get(name, set()) <= set(keys)
    assert all(math.isfinite(figure.value) and figure.value > 0 for figure in figures)
