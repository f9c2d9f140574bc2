"""The version every row and dead letter carries as ``pipeline_version``."""

VERSION = "0.1.0"
