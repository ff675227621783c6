"""What comes in over HTTP: the hook, its deliveries, and the answers."""
