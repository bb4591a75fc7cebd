"""The real server under abuse on loopback: what one client sends or withholds costs that client, and nobody else."""
