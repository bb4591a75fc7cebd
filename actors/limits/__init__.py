"""How often somebody may ask: windows of this worker's own, and those that all workers share."""
