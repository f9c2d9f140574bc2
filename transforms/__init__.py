"""The rules of the event flow as pure functions, and thin PTransforms around them."""
