"""Inventory of the shop: each event changes the stock of a product in a warehouse."""
