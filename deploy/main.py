"""Runs ``pipeline.main`` for the launcher of the Flex Template, which takes a file, no module."""

import sys

from pipeline.main import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
