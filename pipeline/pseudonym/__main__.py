"""Looks pseudonyms up, and rotates their keys: ``python -m pipeline.pseudonym --help``."""

import argparse
import re
import sys
from collections.abc import Iterator, Sequence

from gcp import arguments
from gcp.clients import bigquery_client
from gcp.secrets import SecretError
from pipeline.pseudonym.keys import OPTION, PseudonymKeys, add_pseudonym_key, pseudonym_keys
from pipeline.pseudonym.rotate import rotate

ROTATE = "rotate"


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; the exit code is 0 done, 1 it failed or rows are left."""
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        return _rotate(words[1:]) if words[:1] == [ROTATE] else _look_up(words)
    except SecretError as error:
        print(f"error: {error}", file=sys.stderr)
    except arguments.SERVICE_ERRORS as error:
        print(f"error: {arguments.explain(error)}", file=sys.stderr)
    return 1


def _look_up(argv: Sequence[str]) -> int:
    parser = arguments.Parser(
        prog="python -m pipeline.pseudonym",
        description="Prints the pseudonyms of the ids on standard input, one per line: a line per "
        "id, in their order, and after a rotation a column per key. `rotate` replaces stored ones.",
    )
    add_pseudonym_key(parser, "the key, as in pipeline.main; after a rotation all, oldest first")
    keys = _keys(parser, parser.parse_args(argv).pseudonym_key)
    try:
        ids = list(_lines(sys.stdin.buffer.read()))
    except UnicodeDecodeError:
        parser.error("standard input is not UTF-8 text")
    if not ids:
        parser.error("standard input has no ids: one per line")
    chain = keys.read()
    for id_ in ids:
        print(*chain.stages(id_)[1:], sep="\t")
    return 0


def _lines(data: bytes) -> Iterator[str]:
    for line in data.decode("utf-8-sig").split("\n"):
        if line.strip():
            yield line.removesuffix("\r")


def _rotate(argv: Sequence[str]) -> int:
    parser = arguments.Parser(
        prog=f"python -m pipeline.pseudonym {ROTATE}",
        description="Replaces stored pseudonyms by those under further keys, without the ids, one "
        "partition after the other. Safe to interrupt and to repeat; exit code 1 if rows are left "
        "in BigQuery's streaming buffer. Update the pipeline first, so that new rows have the new "
        "pseudonyms.",
    )
    parser.add_argument(
        "--dataset", required=True, type=arguments.dataset, metavar="PROJECT.DATASET"
    )
    parser.add_argument(
        "--replaces",
        type=_name,
        metavar="NAME",
        help="the key of the pseudonyms to replace (default: none, ids that were stored as sent)",
    )
    add_pseudonym_key(parser, "the keys that follow it, the oldest first; see pipeline.main")
    parser.add_argument(
        "--dry_run", action="store_true", help="count what would be replaced, change nothing"
    )
    args = parser.parse_args(argv)
    keys = _keys(parser, args.pseudonym_key)
    if args.replaces == keys.references[-1][0]:
        parser.error(f"--replaces: {args.replaces} is the last key of {OPTION}")
    chain = keys.read()
    with bigquery_client(args.dataset.project) as client:
        left = rotate(client, args.dataset, chain, args.replaces, dry_run=args.dry_run)
    for line in left:
        print(f"error: {line}", file=sys.stderr)
    return 1 if left else 0


def _keys(parser: argparse.ArgumentParser, given: Sequence[str] | None) -> PseudonymKeys:
    try:
        keys = pseudonym_keys(given)
    except ValueError as error:
        parser.error(str(error))
    if keys is None:
        parser.error(f"{OPTION} NAME=SECRET is required")
    return keys


@arguments.checked
def _name(text: str) -> str:
    if not re.fullmatch("[a-z][a-z0-9_]{0,15}", text, re.ASCII):
        raise ValueError("must be the name of a key, such as k1")
    return text


if __name__ == "__main__":
    sys.exit(main())
