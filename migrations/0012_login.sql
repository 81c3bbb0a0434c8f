-- Who guesses passwords is made to wait.

-- A login never waits for the disk because of these: a crash forgets them.
create unlogged table devcred.login_failure (
    slot int not null,
    digest bytea not null,
    clear_at timestamptz not null,
    constraint login_failure_pkey
        primary key (slot),
    constraint login_failure_slot_is_bounded
        check (slot between 0 and 262143),
    constraint login_failure_digest_is_sha256
        check (octet_length(digest) = 32)
) with (fillfactor = 70);
comment on table devcred.login_failure is
    'Logins that failed lately: see login_wait().  262,144 rows at most, whatever strangers do: a new one takes the slot of an older.';
comment on column devcred.login_failure.slot is
    'The first 18 bits of digest.';
comment on column devcred.login_failure.digest is
    'One of login_digests(): of a login from a source, of a source, or of a login.';
comment on column devcred.login_failure.clear_at is
    'When all of the failures will have been forgotten: each puts it off.';

create table devcred.login_known (
    digest bytea not null,
    at timestamptz not null default clock_timestamp(),
    constraint login_known_pkey
        primary key (digest),
    constraint login_known_digest_is_sha256
        check (octet_length(digest) = 32)
);
comment on table devcred.login_known is
    'Sources from which a person has logged in: strangers'' failures elsewhere do not make her wait.  A row for each, for 90 days.';
comment on column devcred.login_known.digest is
    'The first of login_digests(): of the login from the source.';
comment on column devcred.login_known.at is
    'When the password was found to be right.';

create table devcred.login_salt (
    salt bytea not null,
    constraint login_salt_is_32_bytes
        check (octet_length(salt) = 32)
);
comment on table devcred.login_salt is
    'One row, of this database: nobody else can tell which digests share a slot.';
comment on column devcred.login_salt.salt is
    'Random.';
insert into devcred.login_salt (salt)
select sha256(convert_to(string_agg(gen_random_uuid()::text, ''), 'UTF8'))
  from generate_series(1, 4);
