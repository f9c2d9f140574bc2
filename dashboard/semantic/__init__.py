"""What can be asked of the warehouse: tables, dimensions, measures. Every query is made of it."""
