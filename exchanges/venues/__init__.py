"""One file per exchange; `exchanges.registry` finds them."""
