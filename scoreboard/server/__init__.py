"""The composition root: the only room where door, api, live, stores and actors meet."""
