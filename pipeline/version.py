"""The version that every row and dead letter has as ``pipeline_version``."""

VERSION = "0.1.0"
