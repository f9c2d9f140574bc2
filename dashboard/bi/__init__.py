"""The semantic model and the panels in the forms that BI tools take."""
