"""Keeps stored tables equal to the views that define them."""
