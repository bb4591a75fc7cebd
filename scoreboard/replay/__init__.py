"""Plays a season of real football through the public REST API, as any other client would.

This room imports nothing of the server: what it knows of it is the documented API.
"""
