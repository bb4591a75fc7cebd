-- How an action is proven, and the actions of the usual game; operators change them with `scoreboard action`.

ALTER TABLE actions ADD COLUMN verifier text NOT NULL DEFAULT 'hmac';

INSERT INTO actions (action_type, base_points, description) VALUES
    ('COMPLETE_QUEST', 50, 'A quest that was completed'),
    ('WIN_GAME', 100, 'A game that was won'),
    ('ACHIEVEMENT_UNLOCK', 25, 'An achievement that was unlocked')
ON CONFLICT (action_type) DO NOTHING;
