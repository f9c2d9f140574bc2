"""The blocks of deploy/terraform."""

import hcl2

from tests.deploy.conftest import ROOT

FOLDER = ROOT / "deploy" / "terraform"
FILES = sorted(FOLDER.glob("*.tf"))
TEXT = "\n".join(path.read_text() for path in FILES)


def plain(value):
    """hcl2 keeps the quotes of strings."""
    if isinstance(value, dict):
        return {plain(k): plain(v) for k, v in value.items() if not k.startswith("__")}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value.strip('"') if isinstance(value, str) else value


def blocks(kind):
    for path in FILES:
        with path.open() as file:
            for block in plain(hcl2.load(file)).get(kind, []):
                yield from block.items()


def resources(kind):
    return {
        name: body for t, named in blocks("resource") if t == kind for name, body in named.items()
    }


def local(name):
    return next(value for found, value in blocks("locals") if found == name)
