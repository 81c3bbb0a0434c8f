-- The door for SQL: credentials of devices.  See door.sql.

create or replace function devcred.random_bytes()
returns bytea
language sql volatile
set search_path = pg_catalog, pg_temp
as $$
    select sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())
        || uuid_send(gen_random_uuid()))
$$;
comment on function devcred.random_bytes() is
    '32 bytes from the server''s strong source of randomness, which gen_random_uuid() has 122 bits from (PostgreSQL, functions-uuid).';

create or replace function devcred.credential_rotate(
    p_id text,
    p_tenant text default null,
    p_overlap int default 86400)
returns table (outcome devcred.outcome, id text, tenant text, username text, password text)
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    -- 32 of 62 characters: 190 bits
    v_password text := left(translate(encode(devcred.random_bytes(), 'base64'), '+/=', ''), 32);
    v_salt bytea := substr(devcred.random_bytes(), 1, 16);
begin
    while length(v_password) < 32 loop
        v_password := left(v_password || translate(encode(devcred.random_bytes(), 'base64'), '+/=', ''), 32);
    end loop;
    return query
    select r.outcome, r.id, r.tenant, r.username, v_password
      from devcred.credential_rotate(devcred.door_scope(p_id, p_tenant), devcred.door_actor(), null,
           p_tenant, p_id, v_salt, sha256(convert_to(v_password, 'UTF8') || v_salt),
           greatest(p_overlap, 0)) r;
end
$$;
comment on function devcred.credential_rotate(text, text, int) is
    'Give a device a new random password, which is told this once.  The one it has works on until the new one is used, for p_overlap seconds at
most.  p_tenant: where the id alone does not say.  ok; no row if there is none.';

create or replace function devcred.credential_disable(p_id text, p_tenant text default null)
returns setof devcred.credential_state
language sql security definer
set search_path = pg_catalog, pg_temp
as $$
    select c.*
      from devcred.credential_disable(devcred.door_scope(p_id, p_tenant), devcred.door_actor(),
           null, p_tenant, p_id, true) c
$$;
comment on function devcred.credential_disable(text, text) is
    'Refuse a device''s logins from now on.  No row if there is no such credential.';

create or replace function devcred.credential_enable(p_id text, p_tenant text default null)
returns setof devcred.credential_state
language sql security definer
set search_path = pg_catalog, pg_temp
as $$
    select c.*
      from devcred.credential_disable(devcred.door_scope(p_id, p_tenant), devcred.door_actor(),
           null, p_tenant, p_id, false) c
$$;
comment on function devcred.credential_enable(text, text) is
    'Allow a device''s logins again.  No row if there is no such credential.';

create or replace function devcred.credential_expire(
    p_id text,
    p_expires_at timestamptz,
    p_tenant text default null)
returns setof devcred.credential_state
language sql security definer
set search_path = pg_catalog, pg_temp
as $$
    select c.*
      from devcred.credential_expire(devcred.door_scope(p_id, p_tenant), devcred.door_actor(),
           null, p_tenant, p_id, p_expires_at) c
$$;
comment on function devcred.credential_expire(text, timestamptz, text) is
    'Set when a credential ends to work; null: never.  No row if there is no such credential.';

create or replace function devcred.credential_reopen(
    p_id text,
    p_tenant text default null,
    p_window int default 900)
returns setof devcred.credential_state
language sql security definer
set search_path = pg_catalog, pg_temp
as $$
    select c.*
      from devcred.credential_reopen(devcred.door_scope(p_id, p_tenant), devcred.door_actor(),
           null, p_tenant, p_id, p_window) c
$$;
comment on function devcred.credential_reopen(text, text, int) is
    'Let the device that the password was issued to ask once more, within p_window seconds.  ok or wrong_state; no row if there is no such credential.';

create or replace function devcred.credential_revoke(p_id text, p_tenant text default null)
returns setof devcred.credential_state
language sql security definer
set search_path = pg_catalog, pg_temp
as $$
    select c.*
      from devcred.credential_revoke(devcred.door_scope(p_id, p_tenant), devcred.door_actor(),
           null, p_tenant, p_id) c
$$;
comment on function devcred.credential_revoke(text, text) is
    'End a credential for good, at once.  No row if there is no such credential.';

create or replace function devcred.credential_decommission(p_id text, p_tenant text default null)
returns setof devcred.credential_state
language sql security definer
set search_path = pg_catalog, pg_temp
as $$
    select c.*
      from devcred.credential_decommission(devcred.door_scope(p_id, p_tenant), devcred.door_actor(),
           null, p_tenant, p_id) c
$$;
comment on function devcred.credential_decommission(text, text) is
    'Take a device out of service: request and credential go, and should the id come again, it is accepted one by one only.';

create or replace function devcred.credential_load(
    p_id text[],
    p_password text[],
    p_tenant text default null)
returns table (line int, outcome devcred.outcome, id text, tenant text)
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_scope text := devcred.door_scope(null, p_tenant);
    v_bulk bigint := nextval('devcred.bulk_number');
begin
    insert into devcred.bulk_row
           (device_id, bulk, batch, line, tenant, custom_properties, password_salt, password_hash)
    select a.id, v_bulk, 1, a.n, p_tenant, '{}', s.salt,
           sha256(convert_to(a.password, 'UTF8') || s.salt)
      from unnest(p_id, p_password) with ordinality a (id, password, n)
     cross join lateral (select substr(devcred.random_bytes(), 1, 16), a.n) s (salt)
     where devcred.device_id_is_sound(a.id)
       and a.password ~ '^[!-~]{8,32}$';
    return query
    select a.n::int, 'invalid'::devcred.outcome, a.id, coalesce(p_tenant, v_scope)
      from unnest(p_id, p_password) with ordinality a (id, password, n)
     where not (devcred.device_id_is_sound(a.id)
           and coalesce(a.password ~ '^[!-~]{8,32}$', false))
    union all
    select l.*
      from devcred.credential_load(v_scope, devcred.door_actor(), null, v_bulk, 1) l
     order by 1;
end
$$;
comment on function devcred.credential_load(text[], text[], text) is
    'Give many devices passwords that were put into them: random ones, 8 to 32 printable ASCII characters.  A row for each that did not make a new
device, with its place in the arrays from 1: updated (it has this password now), limit_reached, no_tenant or invalid.  Keep passwords out of the text of statements, which
servers log: select them from a table.';

create or replace function devcred.credential_dml()
returns trigger
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_scope text := devcred.door_scope(old.device_id, old.tenant);
    w devcred.credential := old;    -- what new may be
begin
    if tg_op = 'DELETE' then
        perform
           from devcred.credential_revoke(v_scope, devcred.door_actor(), null, old.tenant, old.device_id);
        return case when found then old end;
    end if;
    w.status := new.status;
    w.expires_at := new.expires_at;
    if new is distinct from w or new.status <> old.status
            and new.status not in ('ACTIVE', 'DISABLED') then
        raise exception 'of a credential the status can be changed, to ACTIVE or DISABLED, and expires_at'
            using errcode = 'check_violation';
    end if;
    if old.status = 'EXPIRED' and new.status = 'ACTIVE'
            and new.expires_at is not distinct from old.expires_at then
        raise exception 'the credential ended to work at %', old.expires_at
            using errcode = 'check_violation',
                  hint = 'Set expires_at to null, or to a time to come.';
    end if;
    if new.expires_at is distinct from old.expires_at then
        perform
           from devcred.credential_expire(v_scope, devcred.door_actor(), null, old.tenant,
                old.device_id, new.expires_at);
    end if;
    if new.status <> old.status then
        perform
           from devcred.credential_disable(v_scope, devcred.door_actor(), null, old.tenant,
                old.device_id, new.status = 'DISABLED');
    end if;
    return new;
end
$$;
comment on function devcred.credential_dml() is
    'Trigger: statements on the view credential do what the functions do, in the name of the login.';

create or replace trigger credential_dml
    instead of update or delete on devcred.credential
    for each row execute function devcred.credential_dml();
comment on trigger credential_dml on devcred.credential is
    'update disables, enables (status) or sets when it ends (expires_at); delete revokes.';
