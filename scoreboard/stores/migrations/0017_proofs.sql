-- How each type of action is proven and how often it can be, and the proofs themselves.

ALTER TABLE actions
    ADD COLUMN key_name text NOT NULL DEFAULT 'game',
    ADD COLUMN least_s  double precision NOT NULL DEFAULT 0 CHECK (least_s >= 0),
    ADD COLUMN most     integer CHECK (most > 0),
    ADD COLUMN window_s double precision NOT NULL DEFAULT 60 CHECK (window_s > 0),
    ADD COLUMN honeypot boolean NOT NULL DEFAULT false;

-- A row for each proof that was granted a token, with all that is needed to judge it again. `action_name` is what the action
-- counts under in action_tokens; two players may both have proven it, and it counts for whoever is first.

CREATE TABLE action_evidence (
    action_name bytea NOT NULL,
    user_id     uuid NOT NULL,
    action_type text NOT NULL,
    action_id   text NOT NULL,
    points      bigint NOT NULL,
    verifier    text NOT NULL,
    key_name    text NOT NULL,
    key_id      text NOT NULL,
    proof_time  text NOT NULL,
    signature   text NOT NULL,
    proven_at   timestamptz NOT NULL,
    granted_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    ip_address  inet,
    user_agent  text,
    PRIMARY KEY (action_name, user_id)
);

CREATE INDEX action_evidence_of_players ON action_evidence (user_id, action_type, proven_at);

CREATE FUNCTION evidence_stays() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'evidence is never changed or removed';
END $$;

CREATE TRIGGER action_evidence_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON action_evidence
FOR EACH STATEMENT EXECUTE FUNCTION evidence_stays();
