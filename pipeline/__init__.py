"""The pipeline: options, sources, sinks, the graph and the commands around it."""
