-- Survived from 0018 on.
-- What is said of the ledger before there were seals is sealed too, in a chain of its own that has one batch: whoever could change
-- it could hide rows behind it that they have added. Its ids name nothing.

ALTER TABLE audit_chains
    DROP CONSTRAINT audit_chains_kind_check,
    ADD CONSTRAINT audit_chains_kind_check CHECK (kind IN ('scores', 'events', 'unsealed'));

CREATE FUNCTION unsealed_digest(u audit_unsealed) RETURNS bytea
LANGUAGE sql STABLE PARALLEL SAFE
RETURN substr(sha256(record_send(ROW(u.until_at, u.rows, u.points))), 1, 16);

SELECT seal(gen_random_uuid(), 'unsealed', array_agg('00000000-0000-0000-0000-000000000000'::uuid), array_agg(u.until_at),
            string_agg(unsealed_digest(u), ''::bytea ORDER BY u.until_at))
FROM audit_unsealed u;
