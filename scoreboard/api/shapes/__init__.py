"""The shapes of answers, as they are described; that the answers have them is held by every test of a route."""
