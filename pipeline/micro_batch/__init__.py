"""The micro-batch mode: the graph batch by batch on one machine, acknowledged after writing."""
