"""From a parsed command to a protected position: sizing, routing, placing, supervising, reconciling."""
