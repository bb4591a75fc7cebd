"""Who somebody is: keys, access and refresh tokens, passwords, and the rules for names."""
