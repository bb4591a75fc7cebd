"""What the server costs and how fast it is: figures with their circumstances, never a pass or a failure."""
