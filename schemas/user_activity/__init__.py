"""User activity in the shop: each event is one thing that a signed-in user did."""
