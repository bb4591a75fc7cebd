"""Document B's REST under ``/api/v1``: thin translators onto the same messages as document A's."""
