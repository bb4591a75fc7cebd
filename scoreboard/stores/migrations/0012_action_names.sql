-- The ledger keeps what an action is called by who reported it: the id of a proven action, of a service's row, the nonce of an
-- action token. As text, since services name actions as they like; the column that stood here was never filled.
--
-- No index, as none is needed: who knows an action's id finds it by its hash in `action_tokens`, with the row of the ledger that
-- it led to, and raising a score writes to as few indexes as before.

ALTER TABLE score_updates DROP COLUMN action_id;
ALTER TABLE score_updates ADD COLUMN action_id text;

-- The functions that commit fill it from the migration on that seals what they write. Those of a worker of the version before
-- stay; those before them, without the time of the action, go.

DROP FUNCTION commit_scores(integer[], uuid[], uuid[], bigint[], text[], bytea[], bigint[], text[], bytea[], text[], text[],
                            uuid[], text[], integer[], integer[]);
DROP FUNCTION commit_fresh(uuid[], uuid[], bigint[], text[], bytea[], bigint[], text[], bytea[], text[], text[]);
DROP FUNCTION commit_segment(integer, uuid[], uuid[], bigint[], text[], bytea[], bigint[], text[], bytea[], text[], text[]);
