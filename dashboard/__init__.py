"""The page that shows the warehouse to teachers and operators, and what BI tools take from it."""
