import collections
import datetime as dt
import re

import pytest

from local_runner.report.counts import Reconciliation
from local_runner.report.families import report_of
from local_runner.report.page import Figure, Report, Section
from local_runner.report.shown import View
from local_runner.traffic.simulate import DUPLICATE, FACT
from schemas.errors import ErrorKind
from schemas.families import DEFAULT_FAMILY
from tests.local_runner.pages import Page, drawings

HOUR = dt.datetime(2026, 3, 2, 23, tzinfo=dt.UTC)
SENT = collections.Counter(
    {FACT: 90, DUPLICATE: 3, "not_json": 2, "too_large": 1, "schema_violation": 2}
    | {"rule_violation": 1, "store_error": 1}
)


# Inside a card, of a screen 390 px wide.
PHONE_BOX = 324


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
    exam = report_of(DEFAULT_FAMILY)
    figures = [Figure(chart, view) for chart, view in zip(exam.charts, kpis, strict=True)]
    section = Section(DEFAULT_FAMILY.name, [summary], figures, exam.note)
    Report("Exam events", {"Seed": "1"}, reconciliation, [section]).write(path)
    return path.read_text()


def test_the_page_needs_nothing_but_itself(tmp_path, kpis):
    assert Page(written(tmp_path, kpis, Reconciliation(SENT, SENT.copy()))).loads == []


def test_each_chart_has_a_text_alternative(tmp_path, kpis):
    labels = Page(written(tmp_path, kpis, Reconciliation(SENT, SENT.copy()))).labels
    assert [label for label in labels if "by hour" in label] == [
        "Session starts by hour: 10 in total over 2 hours; the most, 7, at Mar 03 01:00 UTC.",
        "Session completions by hour: 10 in total over 2 hours; the most, 7, at Mar 03 01:00 UTC.",
    ]
    assert (
        "Questions with the most wrong first submissions: "
        "9 in total over 2 questions; the most, 5, for algebra: <q1>."
    ) in labels


def test_a_question_of_two_tests_is_two_bars_and_the_axis_says_what_is_counted(tmp_path, kpis):
    text = written(tmp_path, kpis, Reconciliation(SENT, SENT.copy()))
    for width in ("narrow", "wide"):
        drawing = drawings(text, width)[2]
        assert drawing.count(">algebra: &lt;q1&gt;<") == 1
        assert drawing.count(">physics: &lt;q1&gt;<") == 1
        assert ">Wrong first submissions<" in drawing
    assert "count first submissions only" in text


def test_drawings_scale_with_their_box_and_tables_scroll_in_theirs(tmp_path, kpis):
    page = Page(written(tmp_path, kpis, Reconciliation(SENT, SENT.copy())))
    assert [box for box, _ in page.drawings] == ["narrow", "wide"] * 3
    for _, attributes in page.drawings:
        assert "viewbox" in attributes
        assert not {"width", "height"} & set(attributes)
    assert page.table_boxes == ["scroll"] * 5


def test_the_text_of_a_chart_stays_readable_on_a_phone(tmp_path, kpis):
    narrow = drawings(written(tmp_path, kpis, Reconciliation(SENT, SENT.copy())), "narrow")
    assert len(narrow) == 3
    for drawing in narrow:
        [width] = re.findall(r'viewBox="0 0 (\d+)', drawing)
        sizes = [float(size) for size in re.findall(r'font-size="([\d.]+)px"', drawing)]
        assert min(sizes) * PHONE_BOX / float(width) >= 9


def test_many_hours_have_dates_and_no_numbers_above_the_bars(tmp_path, kpis):
    hours = [(HOUR + dt.timedelta(hours=number), 1234) for number in range(60)]
    kpis[0] = View(kpis[0].name, kpis[0].columns, hours)
    text = written(tmp_path, kpis, Reconciliation(SENT, SENT.copy()))
    for width in ("narrow", "wide"):
        many, few, _ = drawings(text, width)
        assert ">1,234<" not in many
        assert ">7<" in few
        assert [f">Mar 0{day}<" in many for day in (3, 4, 5)] == [True] * 3


def test_an_hour_of_another_day_has_its_date(tmp_path, kpis):
    rows = [(HOUR, 3), (HOUR + dt.timedelta(days=5, hours=-9), 7)]
    kpis[0] = View(kpis[0].name, kpis[0].columns, rows)
    text = written(tmp_path, kpis, Reconciliation(SENT, SENT.copy()))
    assert [">Mar 07<" in drawings(text, width)[0] for width in ("narrow", "wide")] == [True, True]


def test_long_ids_differ_in_the_chart(tmp_path, kpis):
    name = "a-very-long-name-of-a-test-with-many-words-in-it"
    rows = [(name, f"{name}-q{number}", 1234) for number in (1, 2)]
    kpis[2] = View(kpis[2].name, kpis[2].columns, rows)
    text = written(tmp_path, kpis, Reconciliation(SENT, SENT.copy()))
    for width in ("narrow", "wide"):
        drawing = drawings(text, width)[2]
        assert [drawing.count(f"-in-it-q{n}<") for n in (1, 2)] == [1, 1]
        assert drawing.count(">1,234<") == 2


def test_only_long_ids_wrap_in_a_table(tmp_path, kpis):
    long = "student-8f14e45f-ceea-467f-ab3b-1d2c5b0a9e77"
    kpis[2] = View(kpis[2].name, kpis[2].columns, [("algebra", long, 5)])
    text = written(tmp_path, kpis, Reconciliation(SENT, SENT.copy()))
    assert f'<td class="long">{long}</td>' in text
    assert text.count('class="long"') == 1


def test_values_are_text_and_never_markup(tmp_path, kpis):
    text = written(tmp_path, kpis, Reconciliation(SENT, SENT.copy()))
    assert "<b>algebra" not in text
    assert "<q1>" not in text
    page = Page(text)
    assert "<b>algebra</b>" in page.text
    assert "1,234" in page.text


def test_an_hour_without_sessions_stands_in_the_chart(tmp_path, kpis):
    text = written(tmp_path, kpis, Reconciliation(SENT, SENT.copy()))
    assert [">00:00<" in drawing for drawing in drawings(text, "wide")] == [True, True, False]


def test_no_colour_of_the_drawing_survives(tmp_path, kpis):
    assert (
        "#0" not in written(tmp_path, kpis, Reconciliation(SENT, SENT.copy())).split("</style>")[1]
    )


def test_empty_views_make_a_page_too(tmp_path, kpis):
    empty = [View(view.name, view.columns, []) for view in kpis]
    nothing = collections.Counter()
    text = written(tmp_path, empty, Reconciliation(nothing, nothing))
    assert text.count("No data.") == 3
    assert "<svg" not in text


def test_a_complete_reconciliation_has_no_fault(tmp_path, kpis):
    reconciliation = Reconciliation(SENT, SENT.copy())
    assert reconciliation.faults == []
    assert (reconciliation.published, reconciliation.dead_letters) == (100, 7)
    assert "Every message is accounted for" in written(tmp_path, kpis, reconciliation)


@pytest.mark.parametrize(
    ("found", "fault"),
    [
        (SENT - collections.Counter({FACT: 2}), "2 of 100 messages are unaccounted for"),
        (SENT + collections.Counter({FACT: 1, DUPLICATE: -1}), "differ from those sent"),
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
