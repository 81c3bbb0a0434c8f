-- A look knows where it comes from; sql/ makes it anew.
drop function if exists devcred.credential_look(text[], text[], bytea[], bytea[]);

comment on table devcred.login_failure is
    'Logins and security tokens that failed lately: see login_wait() and token_guess().  262,144 rows at most, whatever strangers do: a new one takes the slot of an older.';
comment on column devcred.login_failure.digest is
    'One of guess_digests(): of a login or device from a source, of a source, or of a login or device.';
