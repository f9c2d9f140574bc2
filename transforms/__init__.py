"""Pure functions of the event flow, and thin PTransforms over them."""
