"""The arguments of ``python -m ddl``."""

import argparse
import re
from pathlib import Path
from typing import Any

from ddl import files, settings
from gcp.arguments import Parser, add_event_family, checked, dataset, families
from schemas.dates import EARLIEST_DATE, LATEST_DATE, parse_date
from schemas.families import FAMILIES
from schemas.lateness import SettingsRow
from schemas.tables import DEAD_LETTERS, LATENESS_SETTINGS

_POLICY_TAG = re.compile(
    r"([\w.]+)=(projects/[^/,]+/locations/[^/,]+/taxonomies/\d+/policyTags/\d+)"
)
_LABEL = re.compile(r"([a-z][a-z0-9_-]{0,62})=([a-z0-9_-]{0,63})", re.ASCII)


def parser() -> argparse.ArgumentParser:
    """The parser; ``command`` names the command, ``fail`` ends it with exit code 2."""
    whole = Parser(
        prog="python -m ddl", description="The warehouse's tables, functions, views and checks."
    )
    commands = whole.add_subparsers(required=True, metavar="COMMAND")
    place = Parser(add_help=False)
    place.add_argument("--dataset", required=True, type=dataset, metavar="PROJECT.DATASET")
    add_event_family(place, "event families, besides what all share")
    _add_apply(commands, place)
    _add_check(commands, place)
    _add_render(commands)
    return whole


def _add_apply(commands: Any, place: Parser) -> None:
    apply = commands.add_parser(
        "apply", parents=[place], help="create or update them; never drops or rewrites anything"
    )
    apply.set_defaults(command="apply", fail=apply.error)
    apply.add_argument("--dry_run", action="store_true", help="show what would be done, do nothing")
    apply.add_argument("--location", help="where to create the dataset, such as EU")
    apply.add_argument(
        "--partition_expiration_days",
        type=_days,
        metavar="N",
        help=f"delete partitions of the fact tables and {DEAD_LETTERS} after N days",
    )
    apply.add_argument(
        "--dead_letter_expiration_days",
        type=_days,
        metavar="N",
        help=f"the same for {DEAD_LETTERS} alone",
    )
    apply.add_argument(
        "--labels", type=_labels, default={}, metavar="K=V,K=V", help="labels of the tables"
    )
    apply.add_argument(
        "--policy_tags",
        type=_policy_tags,
        default={},
        metavar="COLUMN=TAG,...",
        help="BigQuery policy tags of columns, in every table that has them; RECORD.FIELD=TAG "
        "tags a field of a record",
    )
    apply.add_argument(
        "--operational_views",
        action="store_true",
        help="also create table_usage and query_costs, over INFORMATION_SCHEMA",
    )
    apply.add_argument(
        "--older_dataset",
        type=dataset,
        metavar="PROJECT.DATASET",
        help="also create views over the tables of this dataset and an older one",
    )
    apply.add_argument(
        "--lateness_settings",
        type=_settings,
        metavar="FILE.csv",
        help=f"replace the rows of {LATENESS_SETTINGS} ({','.join(settings.COLUMNS)})",
    )


def _add_check(commands: Any, place: Parser) -> None:
    check = commands.add_parser(
        "check",
        parents=[place],
        help="look for what should not be there; exit code 1 where a check fails",
    )
    check.set_defaults(command="check", fail=check.error)
    check.add_argument(
        "--start_date",
        type=checked(parse_date),
        default=EARLIEST_DATE,
        metavar="YYYY-MM-DD",
        help="first event date to look at (UTC; default: all)",
    )
    check.add_argument(
        "--end_date",
        type=checked(parse_date),
        default=LATEST_DATE,
        metavar="YYYY-MM-DD",
        help="last event date",
    )
    check.add_argument(
        "--show",
        choices=sorted(files.find("checks")),
        metavar="NAME",
        help="run this check only, and print its SQL and the rows behind its findings",
    )


def _add_render(commands: Any) -> None:
    rendering = commands.add_parser(
        "render", help="write the SQL files of a family from its contract"
    )
    rendering.set_defaults(command="render", fail=rendering.error)
    rendering.add_argument(
        "--event_family",
        type=families,
        default=tuple(family for family in FAMILIES.values() if not family.written),
        metavar="NAME,...",
        help="event families (default: all whose files are rendered)",
    )
    rendering.add_argument(
        "--check", action="store_true", help="write nothing; fail where a file is stale"
    )


def _settings(text: str) -> list[SettingsRow]:
    try:
        return settings.read(Path(text))
    except settings.SettingsFileError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _days(text: str) -> int:
    if not re.fullmatch("[1-9][0-9]{0,5}", text):
        raise argparse.ArgumentTypeError("must be a number of days, 1 or more")
    return int(text)


def _labels(text: str) -> dict[str, str]:
    labels = [_LABEL.fullmatch(pair) for pair in text.split(",")]
    if not all(labels):
        raise argparse.ArgumentTypeError(
            "must be KEY=VALUE,KEY=VALUE in lower-case letters, digits, hyphens and underscores"
        )
    return {label[1]: label[2] for label in labels if label}


def _policy_tags(text: str) -> dict[str, str]:
    tags = [_POLICY_TAG.fullmatch(pair) for pair in text.split(",")]
    if not all(tags):
        raise argparse.ArgumentTypeError(
            "must be COLUMN=projects/.../locations/.../taxonomies/NUMBER/policyTags/NUMBER,..."
        )
    return {tag[1]: tag[2] for tag in tags if tag}
