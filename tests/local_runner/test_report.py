import collections
import datetime as dt
import html.parser

import pytest

from local_runner.report.counts import Reconciliation
from local_runner.report.page import Report
from local_runner.report.summaries import View
from local_runner.traffic.simulate import DUPLICATE, FACT
from schemas.errors import ErrorKind

HOUR = dt.datetime(2026, 3, 2, 23, tzinfo=dt.UTC)
SENT = collections.Counter(
    {FACT: 90, DUPLICATE: 3, "not_json": 2, "too_large": 1, "schema_violation": 2}
    | {"rule_violation": 1, "store_error": 1}
)


class Page(html.parser.HTMLParser):
    """Collects what a page loads, what it says, and what it says of its drawings."""

    def __init__(self, text):
        super().__init__()
        self.loads, self.labels, self.open, self.text = [], [], [], ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        self.loads += [v for n, v in attrs if n in {"src", "href", "xlink:href"}]
        if attributes.get("role") == "img":
            self.labels.append(attributes["aria-label"])
        if tag == "script":
            self.loads.append(tag)

    def handle_data(self, data):
        self.text += data


@pytest.fixture
def kpis():
    hours = [(HOUR + dt.timedelta(hours=2), 7), (HOUR, 3)]
    return [
        View("session_starts_by_hour", ["hour", "session_starts"], hours),
        View("session_completions_by_hour", ["hour", "session_completions"], hours),
        View(
            "wrong_answers_by_question",
            ["test_id", "question_id", "wrong_answers"],
            [("algebra", "<q1>", 5), ("physics", "<q1>", 4)],
        ),
    ]


def written(tmp_path, kpis, reconciliation):
    summary = View("test_summary", ["test_id", "sessions"], [("<b>algebra</b>", 1234)])
    path = tmp_path / "build" / "report.html"
    Report({"Seed": "1"}, reconciliation, [summary], kpis).write(path)
    return path.read_text()


def test_the_page_needs_nothing_but_itself(tmp_path, kpis):
    assert Page(written(tmp_path, kpis, Reconciliation(SENT, SENT.copy()))).loads == []


def test_each_chart_is_told_in_words_too(tmp_path, kpis):
    labels = Page(written(tmp_path, kpis, Reconciliation(SENT, SENT.copy()))).labels
    assert [label for label in labels if "by hour" in label] == [
        "Session starts by hour: 10 in all over 2; most, 7, at 01:00 UTC.",
        "Session completions by hour: 10 in all over 2; most, 7, at 01:00 UTC.",
    ]
    assert (
        "Questions with the most wrong first submissions: "
        "9 in all over 2; most, 5, at algebra: <q1>."
    ) in labels


def test_a_question_of_two_tests_is_two_bars_and_the_axis_says_what_is_counted(tmp_path, kpis):
    text = written(tmp_path, kpis, Reconciliation(SENT, SENT.copy()))
    assert text.count(">algebra: &lt;q1&gt;<") == text.count(">physics: &lt;q1&gt;<") == 1
    assert ">Wrong first submissions<" in text
    assert "those of first submissions" in text


def test_values_are_text_and_never_markup(tmp_path, kpis):
    text = written(tmp_path, kpis, Reconciliation(SENT, SENT.copy()))
    assert "<b>algebra" not in text
    assert "<q1>" not in text
    page = Page(text)
    assert "<b>algebra</b>" in page.text
    assert "1,234" in page.text


def test_an_hour_without_sessions_stands_in_the_chart(tmp_path, kpis):
    text = written(tmp_path, kpis, Reconciliation(SENT, SENT.copy()))
    assert text.count(">00:00<") == 2


def test_no_colour_of_the_drawing_survives(tmp_path, kpis):
    assert (
        "#0" not in written(tmp_path, kpis, Reconciliation(SENT, SENT.copy())).split("</style>")[1]
    )


def test_empty_views_make_a_page_too(tmp_path, kpis):
    empty = [View(view.name, view.columns, []) for view in kpis]
    nothing = collections.Counter()
    assert "no data" in written(tmp_path, empty, Reconciliation(nothing, nothing))


def test_a_complete_reconciliation_has_no_fault(tmp_path, kpis):
    reconciliation = Reconciliation(SENT, SENT.copy())
    assert reconciliation.faults == []
    assert (reconciliation.published, reconciliation.dead_letters) == (100, 7)
    assert "Every message is accounted for" in written(tmp_path, kpis, reconciliation)


@pytest.mark.parametrize(
    ("found", "fault"),
    [
        (SENT - collections.Counter({FACT: 2}), "2 of 100 messages are unaccounted for"),
        (SENT + collections.Counter({FACT: 1, DUPLICATE: -1}), "not what was sent"),
        (
            SENT + collections.Counter({ErrorKind.TOO_LARGE: -1, ErrorKind.NOT_JSON: 1}),
            "no dead letter of kind too_large",
        ),
    ],
)
def test_what_does_not_add_up_is_a_fault(found, fault, tmp_path, kpis):
    reconciliation = Reconciliation(SENT, found)
    assert fault in "; ".join(reconciliation.faults)
    assert fault in written(tmp_path, kpis, reconciliation)


def test_the_topic_must_have_the_dead_letters_of_the_table():
    on_topic = collections.Counter(
        {kind: count for kind, count in SENT.items() if kind not in {FACT, DUPLICATE}}
    )
    assert Reconciliation(SENT, SENT.copy(), on_topic).faults == []
    on_topic["not_json"] -= 1
    assert "topic" in "; ".join(Reconciliation(SENT, SENT.copy(), on_topic).faults)
