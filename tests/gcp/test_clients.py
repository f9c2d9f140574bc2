"""Names of datasets: what Google Cloud takes, and nothing that could leave its place in SQL."""

import pytest
from google.auth.credentials import AnonymousCredentials

from gcp import clients
from gcp.dataset import Dataset


@pytest.mark.parametrize(
    ("text", "project", "name"),
    [
        ("local-exams.exams", "local-exams", "exams"),
        ("school1.Exams_2026", "school1", "Exams_2026"),
        ("example.com:project.exams", "example.com:project", "exams"),
        (f"{'p' * 63}.{'d' * 1024}", "p" * 63, "d" * 1024),
    ],
)
def test_a_dataset_is_a_project_and_a_name(text: str, project: str, name: str) -> None:
    assert Dataset.parse(text) == Dataset(project, name)
    assert str(Dataset.parse(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "exams",
        "local-exams",
        "local-exams.",
        ".exams",
        "local-exams.a.b",
        "example.com.project.exams",
        "example.com:pro.ject.exams",
        "example.com:.exams",
        "a:b:project.exams",
        "short.exams",
        f"{'p' * 64}.exams",
        f"local-exams.{'d' * 1025}",
        "Local-exams.exams",
        "local-exams-.exams",
        "1local-exams.exams",
        "local-exams.exams`",
        "local-exams.exams\n",
        "local-exams.ex-ams",
        "loc\u0430l-exams.exams",
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"PROJECT\.DATASET"):
        Dataset.parse(text)


def test_without_an_emulator_rows_go_to_bigquery(monkeypatch):
    for variable in (clients.EMULATOR_VARIABLE, clients.STORAGE_EMULATOR_VARIABLE):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr("google.auth.default", lambda *_, **__: (AnonymousCredentials(), "p"))
    with clients.storage_write_client() as client:
        assert client.transport.host == "bigquerystorage.googleapis.com:443"
