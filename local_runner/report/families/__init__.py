"""What the report shows of each event family: by the module of its name, else all of its views."""

import importlib
import importlib.util

from ddl import files
from local_runner.report.shown import FamilyReport, Query
from schemas.family import EventFamily


def report_of(family: EventFamily) -> FamilyReport:
    """What is shown of a family: ``REPORT`` of the module ``<family>.py``, else its views."""
    name = f"{__name__}.{family.name}"
    if importlib.util.find_spec(name):
        report: FamilyReport = importlib.import_module(name).REPORT
        return report
    return all_views(family)


def all_views(family: EventFamily) -> FamilyReport:
    """The first rows of each view of a family."""
    views = files.find("views", [family]).items()
    return FamilyReport([Query(view) for view, path in views if files.family_of(path) == family])
