-- What the web keeps beside the log: who is signed in, how often somebody tried, which requests were answered already.
-- None of it is history (that is in the log), and all of it may be lost: people then sign in again.
--
-- Keys are stored as hashes (SHA-256 of 256 random bits), so that whoever reads this table can take over nobody's session.

CREATE SCHEMA web;
GRANT USAGE ON SCHEMA web TO ringledger_writer;

-- former_hash is good for a short while after a change of roles gave the session a new key: requests that were under way
-- carry the old one.
CREATE TABLE web.sessions (
    session_id   uuid        PRIMARY KEY,
    key_hash     bytea       NOT NULL UNIQUE,
    former_hash  bytea       UNIQUE,
    former_until timestamptz,
    user_id      text        NOT NULL,
    granted      integer     NOT NULL,
    made_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    seen_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    ends_at      timestamptz NOT NULL,
    address      text        NOT NULL,
    browser      text        NOT NULL
);
CREATE INDEX sessions_user_idx ON web.sessions (user_id);

-- Failed sign-ins of an account or from an address (key: a keyed hash of either) since the first of them.
CREATE TABLE web.attempts (
    key       bytea       PRIMARY KEY,
    failures  integer     NOT NULL,
    since     timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- Requests that carry an idempotency key, and how they were answered; status is null while the first is under way.
CREATE TABLE web.requests (
    caller        text        NOT NULL,
    key           text        NOT NULL,
    digest        bytea       NOT NULL,
    made_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
    status        integer,
    content_type  text,
    body          bytea,
    PRIMARY KEY (caller, key)
);
CREATE INDEX requests_made_at_idx ON web.requests (made_at);

CREATE TABLE web.token_uses (
    token_id  text        PRIMARY KEY,
    used_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    address   text        NOT NULL
);

GRANT SELECT, INSERT, UPDATE, DELETE ON web.sessions, web.attempts, web.requests, web.token_uses TO ringledger_writer;
