-- Who needs a file that somebody sent or that was made of one, besides jobs (job_media).
CREATE TABLE file_hold (
    file        TEXT    NOT NULL,               -- below the data directory, "media/<sha256>.png"
    holder      TEXT    NOT NULL,               -- "request", "upload" or "draft:<front>:<chat>:<user>"
    user_key    TEXT    NOT NULL,               -- requester key of whoever sent it
    until_ms    INTEGER NOT NULL,               -- epoch ms
    PRIMARY KEY (file, holder, user_key)
) STRICT, WITHOUT ROWID;
CREATE INDEX file_hold_of ON file_hold (user_key);
CREATE INDEX file_hold_by ON file_hold (holder);
CREATE INDEX file_hold_until ON file_hold (until_ms);
