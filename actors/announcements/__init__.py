"""What is announced to all workers: one actor listens for what this worker must hear of."""
