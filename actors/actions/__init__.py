"""What can be done for points: the catalogue, and the proof that it was done."""
