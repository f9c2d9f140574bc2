"""Where rows and dead letters go."""
