"""Orders of the shop: each event is one step in the life of an order."""
