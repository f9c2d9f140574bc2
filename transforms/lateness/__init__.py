"""Whether a submission came after its session had expired (DESIGN 5)."""
