"""Who plays as nobody plays: rules and statistics over what players do, off the way of the score."""
