"""Secrets by reference: a version in Secret Manager, a file, or an environment variable."""

import functools
import os
import re
from pathlib import Path

from google.api_core.exceptions import (
    FailedPrecondition,
    Forbidden,
    GoogleAPICallError,
    NotFound,
    RetryError,
)
from google.auth.exceptions import DefaultCredentialsError, GoogleAuthError

_VERSION = re.compile(
    "projects/[a-z0-9][-a-z0-9.:]*/secrets/[A-Za-z0-9_-]{1,255}/versions/[1-9][0-9]{0,9}"
)
_VARIABLE = re.compile("env:[A-Za-z_][A-Za-z0-9_]*")
_FILE = "file:"
_WAIT_SECONDS = 30.0


class SecretError(Exception):
    """A secret cannot be read; the text is the one line to show."""


class SecretDeniedError(SecretError):
    """This account has no permission to read the secret; the workers' account may have it."""


def check_reference(text: str) -> str:
    """Returns the reference of a secret; raises ValueError if it is none."""
    if not _VERSION.fullmatch(text) and not _VARIABLE.fullmatch(text) and text[:6] != "file:/":
        # No latest: values that were made with another version would no longer be found.
        raise ValueError(
            "a secret is projects/PROJECT/secrets/NAME/versions/NUMBER, file:/PATH or env:VARIABLE"
        )
    return text


def is_local(reference: str) -> bool:
    """Whether only this machine has the secret."""
    return _VERSION.fullmatch(reference) is None


def read_secret(reference: str) -> bytes:
    """The secret, without a line break at its end.

    Raises:
        SecretError: it cannot be read.
    """
    if not is_local(reference):
        secret = _access(reference)
    elif reference.startswith(_FILE):
        try:
            secret = Path(reference.removeprefix(_FILE)).read_bytes()
        except OSError as error:
            raise SecretError(f"{reference}: {error.strerror}") from None
    else:
        variable = reference.removeprefix("env:")
        if variable not in os.environ:
            raise SecretError(f"{reference}: the environment variable {variable} is not set")
        secret = os.environb[variable.encode()]
    return secret.removesuffix(b"\n").removesuffix(b"\r")


@functools.cache
def _access(version: str) -> bytes:
    """A version never changes, so each process asks once."""
    from google.cloud import secretmanager  # takes a moment, and few need it

    try:
        with secretmanager.SecretManagerServiceClient() as client:
            answer = client.access_secret_version(name=version, timeout=_WAIT_SECONDS)
    except NotFound:
        raise SecretError(f"{version} does not exist: add it in Secret Manager first") from None
    except Forbidden:
        raise SecretDeniedError(
            f"{version}: this account may not read it: grant it "
            "roles/secretmanager.secretAccessor on the secret"
        ) from None
    except FailedPrecondition:
        raise SecretError(f"{version} is disabled or destroyed: enable it") from None
    except DefaultCredentialsError:
        raise SecretError(
            "Secret Manager: no credentials; run gcloud auth application-default login"
        ) from None
    except (GoogleAPICallError, GoogleAuthError, RetryError) as error:
        raise SecretError(f"Secret Manager does not answer ({type(error).__name__})") from None
    payload: bytes = answer.payload.data
    return payload
