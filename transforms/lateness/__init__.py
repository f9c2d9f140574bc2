"""Whether a submission came after its session expired (DESIGN 5)."""
