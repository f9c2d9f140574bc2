"""The keys of pseudonyms, and the command that looks pseudonyms up and rotates keys."""
