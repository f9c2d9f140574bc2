import pytest
from google.cloud import bigquery
from google.cloud.bigquery.table import StreamingBuffer


@pytest.fixture
def buffered(monkeypatch):
    """Has every table report a streaming buffer since a moment, or since an unknown one.

    A fake, since bqemulator has no streaming buffer: there every row can be deleted at once.
    """

    def since(oldest):
        entry = {"oldestEntryTime": str(int(oldest.timestamp() * 1000))} if oldest else {}
        reported = StreamingBuffer({"estimatedRows": "2"} | entry)
        monkeypatch.setattr(bigquery.Table, "streaming_buffer", property(lambda _: reported))

    return since
