"""Runs ``pipeline.main`` for the Flex Template launcher, which takes a file, not a module."""

import sys

from pipeline.main import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
