"""``python -m dashboard``: serves the page, and exports its model for BI tools."""

import argparse
import os
import socket
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import uvicorn

from dashboard.bi import export
from dashboard.server import create_app
from dashboard.warehouse import Warehouse
from gcp.arguments import SERVICE_ERRORS, Parser, dataset, explain, whole_number
from gcp.clients import bigquery_client

_MEGABYTE = 10**6


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code: 0 done, 1 it failed, 2 wrong arguments."""
    args = _parser().parse_args(arguments)
    command: Callable[[argparse.Namespace], int] = args.command
    try:
        return command(args)
    except SERVICE_ERRORS as error:
        return _fail(explain(error))


def _serve(args: argparse.Namespace) -> int:
    try:
        listening = socket.create_server((args.host, args.port), backlog=2048)
    except OSError as error:
        return _fail(
            f"{args.host}:{args.port}: {os.strerror(error.errno or 0)}; choose another with --port"
        )
    with listening, bigquery_client(args.dataset.project) as client:
        app = create_app(args.dataset, Warehouse(client, args.max_bytes))
        # URLs hold ids, so requests are not logged.
        config = uvicorn.Config(app, access_log=False, log_level="warning", lifespan="on")
        print(f"http://{args.host}:{listening.getsockname()[1]}/ until Ctrl-C", flush=True)
        try:
            uvicorn.Server(config).run(sockets=[listening])
        except KeyboardInterrupt:
            return 0
    return 0


def _bi(args: argparse.Namespace) -> int:
    if args.write:
        export.write(args.folder)
        return 0
    if differing := export.differing(args.folder):
        return _fail(f"{', '.join(differing)} differ from the model: run it with --write")
    return 0


def _fail(message: str) -> int:
    print(f"error: {message}", file=sys.stderr)
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="python -m dashboard", description="The page that shows the warehouse's numbers."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    serve = commands.add_parser("serve", help="serve the page until Ctrl-C")
    serve.set_defaults(command=_serve)
    serve.add_argument("--dataset", required=True, type=dataset, metavar="PROJECT.DATASET")
    serve.add_argument("--host", default="127.0.0.1", help="address to listen at (%(default)s)")
    serve.add_argument(
        "--port", type=whole_number(0, 65_535), default=8050, help="port; 0 is a free one (8050)"
    )
    serve.add_argument(
        "--max_bytes",
        type=whole_number(10 * _MEGABYTE),
        default=10**9,
        metavar="N",
        help="the most that BigQuery may bill for one query, in bytes (1 GB)",
    )
    bi = commands.add_parser("bi", help="export the model for Looker and others")
    bi.set_defaults(command=_bi)
    bi.add_argument("--folder", type=Path, default=Path("docs/bi"), metavar="DIR")
    what = bi.add_mutually_exclusive_group(required=True)
    what.add_argument("--write", action="store_true", help="write the files")
    what.add_argument(
        "--check", action="store_true", help="compare them; exit code 1 if they differ"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
