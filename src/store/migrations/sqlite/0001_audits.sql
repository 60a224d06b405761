-- One row an audit. `sources` and `options` are JSON; `rules` names the version of rules and detector.
CREATE TABLE audits (
    id TEXT PRIMARY KEY NOT NULL,
    sources TEXT NOT NULL,
    options TEXT NOT NULL,
    rules TEXT NOT NULL,
    started_at TEXT NOT NULL,
    listed_at TEXT,
    finished_at TEXT
);
-- What there is to look at. `body` is model::Repository as JSON.
CREATE TABLE repositories (
    name TEXT PRIMARY KEY NOT NULL,
    body TEXT NOT NULL
);
-- The work of an audit. `claim` changes with each try: what a worker brings after it lost its claim is not taken.
CREATE TABLE work (
    audit TEXT NOT NULL REFERENCES audits (id),
    repository TEXT NOT NULL REFERENCES repositories (name),
    state TEXT NOT NULL,
    claim TEXT,
    worker TEXT,
    deaths BIGINT NOT NULL DEFAULT 0,
    tries BIGINT NOT NULL DEFAULT 0,
    reason TEXT,
    started_at TEXT,
    finished_at TEXT,
    blobs BIGINT NOT NULL DEFAULT 0,
    bytes BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (audit, repository)
);
CREATE INDEX work_states ON work (audit, state);
-- What is known of a repository since it was last looked at. `refs` is a digest of all of its references; `pushed` is what the
-- forge said before the look; `hits` are the ids of objects with hits, `stats`, `skipped` and `credentials` are JSON. No value
-- of a credential is in here.
CREATE TABLE scans (
    repository TEXT PRIMARY KEY NOT NULL REFERENCES repositories (name),
    rules TEXT NOT NULL,
    refs TEXT NOT NULL,
    pushed TEXT,
    checked_at TEXT NOT NULL,
    scanned_at TEXT NOT NULL,
    host TEXT NOT NULL,
    root TEXT NOT NULL,
    mode TEXT NOT NULL,
    stats TEXT NOT NULL,
    skipped TEXT NOT NULL,
    hits TEXT NOT NULL,
    credentials TEXT NOT NULL
);
-- The first eight bytes of the ids of all objects that were judged, one row a look.
CREATE TABLE seen (
    repository TEXT NOT NULL REFERENCES repositories (name),
    part BIGINT NOT NULL,
    ids BLOB NOT NULL,
    PRIMARY KEY (repository, part)
);
-- Findings, with hashes and places. `body` is model::Finding as JSON, without a value.
CREATE TABLE findings (
    repository TEXT NOT NULL REFERENCES repositories (name),
    id TEXT NOT NULL,
    credential TEXT NOT NULL,
    first_audit TEXT NOT NULL,
    first_seen TEXT NOT NULL,
    allowed TEXT,
    body TEXT NOT NULL,
    PRIMARY KEY (repository, id)
);
CREATE INDEX findings_credentials ON findings (credential);
-- What Twilio said of a credential last. `body` is JSON: the verdict, and what it reaches.
CREATE TABLE verdicts (
    credential TEXT PRIMARY KEY NOT NULL,
    body TEXT NOT NULL
);
