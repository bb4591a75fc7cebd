-- Most spent tokens are forgotten when they have expired; those of batches never are, so the table grows with them for ever.
-- What is to be forgotten is found by an index that has nothing else in it. The ranges of blocks that stood here before would
-- lead to every block that ever had such a token beside the others, each time anew.

CREATE INDEX action_tokens_perishable ON action_tokens (expires_at) WHERE expires_at < '9999-01-01T00:00Z';

DROP INDEX action_tokens_expires_at;
