-- Logins: what is asked about one, and how long who guesses has to wait.

create or replace function devcred.login_tenant(p_tenant text, p_host text, p_default text)
returns text
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return coalesce(p_tenant, (
        select t.id
          from devcred.tenant t
         where t.domain_name = lower(p_host)), p_default);
end
$$;
comment on function devcred.login_tenant(text, text, text) is
    'The tenant of a login: the one it names, else the one whose host name p_host is, else p_default.';

create or replace function devcred.guess_digests(p_what text, p_of text, p_source inet)
returns bytea[]
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_salt bytea;
    v_source text := case when family(p_source) = 6 then network(set_masklen(p_source, 64))::text
        else host(p_source) end;
begin
    select s.salt
      into v_salt
      from devcred.login_salt s;
    return array[
        sha256(v_salt || convert_to(p_what || ' ' || p_of || ' ' || v_source, 'UTF8')),
        sha256(v_salt || convert_to(p_what || ' source ' || v_source, 'UTF8')),
        sha256(v_salt || convert_to(p_what || ' of ' || p_of, 'UTF8'))];
end
$$;
comment on function devcred.guess_digests(text, text, inet) is
    'What a guess counts towards: p_what (login, token) of p_of from this source, p_what of any from it, and of p_of from anywhere.  An IPv6 source is its
/64, which is what one customer has at least.';

create or replace function devcred.login_digests(p_tenant text, p_name text, p_source inet)
returns bytea[]
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return devcred.guess_digests('login', format('%L/%L', p_tenant, p_name), p_source);
end
$$;
comment on function devcred.login_digests(text, text, inet) is
    'What a login that fails counts towards: guess_digests().';

create or replace function devcred.login_slots(p_digests bytea[])
returns int[]
language sql immutable
return array[
    get_byte(p_digests[1], 0) * 1024 + get_byte(p_digests[1], 1) * 4 + get_byte(p_digests[1], 2) / 64,
    get_byte(p_digests[2], 0) * 1024 + get_byte(p_digests[2], 1) * 4 + get_byte(p_digests[2], 2) / 64,
    get_byte(p_digests[3], 0) * 1024 + get_byte(p_digests[3], 1) * 4 + get_byte(p_digests[3], 2) / 64];
comment on function devcred.login_slots(bytea[]) is
    'Their places in login_failure: 18 bits of each.';

create or replace function devcred.login_refill()
returns interval[]
language sql immutable
return '{30 s,3 s,30 s}'::interval[];
comment on function devcred.login_refill() is
    'After how long one failure of each of guess_digests() is forgotten.';

create or replace function devcred.login_room()
returns interval[]
language sql immutable
return '{300 s,300 s,3000 s}'::interval[];
comment on function devcred.login_room() is
    'login_refill() times the failures that are free: 10 of a login from a source, 100 of a source, 100 of a login from strange sources.';

create or replace function devcred.login_is_known(p_tenant text, p_name text, p_source inet)
returns bool
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
    if p_name like 'device\_%' then
        return exists (
            select
              from devcred.device_credential c
             where c.tenant = p_tenant
               and c.device_id = substr(p_name, 8)
               and c.issued_to = p_source);
    end if;
    return exists (
        select
          from devcred.login_known k
         where k.digest = (devcred.login_digests(p_tenant, p_name, p_source))[1])
        or exists (
        select
          from devcred.tenant_user u
         where u.tenant = p_tenant
           and u.name = p_name
           and u.roles = '{ROLE_DEVICE_BOOTSTRAP}');
end
$$;
comment on function devcred.login_is_known(text, text, inet) is
    'Whether the source is not strange to the login: a person has logged in from there, the device was issued its password there.  Nobody is strange to the
bootstrap login, which comes from everywhere.';

create or replace function devcred.guess_wait(p_digests bytea[], out own int, out others int)
returns record
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_digest bytea;
    v_clear_at timestamptz;
    v_seconds int;
    n int;
begin
    own := 0;
    others := 0;
    -- a standby has no such table
    if pg_is_in_recovery() then
        return;
    end if;
    for v_digest, v_clear_at in
        select f.digest, f.clear_at
          from devcred.login_failure f
         where f.slot = any (devcred.login_slots(p_digests))
           and f.clear_at > now()
    loop
        n := array_position(p_digests, v_digest);
        v_seconds := ceil(extract(epoch from v_clear_at + (devcred.login_refill())[n]
            - (devcred.login_room())[n] - now()));
        if n = 1 then
            own := greatest(own, v_seconds);
        elsif n > 1 then
            others := greatest(others, v_seconds);
        end if;
    end loop;
end
$$;
comment on function devcred.guess_wait(bytea[]) is
    'Seconds, up to an hour, that guess_digests() have to wait: for the first of them, and for the others, which count for strangers only.';

create or replace function devcred.guess_failed(p_digests bytea[])
returns void
language sql
set search_path = pg_catalog, pg_temp
as $$
    -- in one order for everybody; a slot is taken once
    insert into devcred.login_failure as f (slot, digest, clear_at)
    select distinct on (c.slot)
           c.slot,
           c.digest,
           clock_timestamp() + c.refill
      from (select get_byte(d.digest, 0) * 1024 + get_byte(d.digest, 1) * 4
                       + get_byte(d.digest, 2) / 64 as slot,
                   d.digest,
                   sum((devcred.login_refill())[(d.n - 1) % 3 + 1]) as refill
              from unnest(p_digests) with ordinality d (digest, n)
             group by d.digest) c
     order by c.slot, c.digest
    on conflict (slot) do update
       set digest = excluded.digest,
           clear_at = case when f.digest = excluded.digest
               then least(excluded.clear_at + greatest(f.clear_at - clock_timestamp(), interval '0'),
                   clock_timestamp() + interval '1 hour')
               else excluded.clear_at end
$$;
comment on function devcred.guess_failed(bytea[]) is
    'Count guesses: guess_digests() of one or of several, one after the other.';

create or replace function devcred.login_wait(p_tenant text, p_name text, p_source inet)
returns int
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
    w record;
begin
    -- without a source nobody can be told from others
    if p_source is null then
        return 0;
    end if;
    w := devcred.guess_wait(devcred.login_digests(p_tenant, p_name, p_source));
    if w.others > w.own and not devcred.login_is_known(p_tenant, p_name, p_source) then
        return w.others;
    end if;
    return w.own;
end
$$;
comment on function devcred.login_wait(text, text, inet) is
    'Seconds, up to an hour, until a password for this login from this source is looked at again; 0: now.  Where the login is known, only what failed for it
from there counts: strangers lock nobody out.  The same for logins that nobody has.';

create or replace function devcred.login_failed(p_tenant text, p_name text, p_source inet)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    if p_source is not null then
        perform devcred.guess_failed(devcred.login_digests(p_tenant, p_name, p_source));
    end if;
end
$$;
comment on function devcred.login_failed(text, text, inet) is
    'Count a login that failed.  It does not matter whether there is such a login.';

create or replace function devcred.token_wait(p_id text, p_source inet, p_home inet)
returns int
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
    w record;
begin
    if p_source is null then
        return 0;
    end if;
    w := devcred.guess_wait(devcred.guess_digests('token', quote_literal(p_id), p_source));
    return case when p_source = p_home then w.own else greatest(w.own, w.others) end;
end
$$;
comment on function devcred.token_wait(text, inet, inet) is
    'Seconds until a security token for this device from this source is looked at again; 0: now.  From p_home, where the device has asked first, only
what failed for it from there counts: who guesses elsewhere is not in its way.';

create or replace function devcred.login_note(p_tenant text, p_name text, p_source inet, p_good bool)
returns table (outcome devcred.outcome)
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set lock_timeout = '2s'
as $$
begin
    if not p_good then
        perform devcred.login_failed(p_tenant, p_name, p_source);
    elsif p_source is not null then
        insert into devcred.login_known (digest)
        values ((devcred.login_digests(p_tenant, p_name, p_source))[1])
        on conflict on constraint login_known_pkey do update
           set at = excluded.at;
    end if;
    return query
    select 'ok'::devcred.outcome;
end
$$;
comment on function devcred.login_note(text, text, inet, bool) is
    'Record what a person''s login came to; of devices credential_use() does.';

create or replace function devcred.login_ask(
    p_tenant text,
    p_host text,
    p_default text,
    p_name text,
    p_source inet)
returns table (
    tenant text,
    roles text,
    password_hash text,
    device_salt bytea,
    device_hash bytea,
    old_salt bytea,
    old_hash bytea,
    generation int,
    noted bool,
    has_crypt bool,
    named_tenant text,
    wait int,
    known bool)
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    named_tenant := coalesce(p_tenant, devcred.login_tenant(null, p_host, p_default), '');
    wait := devcred.login_wait(named_tenant, p_name, p_source);
    known := p_source is null or p_name like 'device\_%'
        or devcred.login_is_known(named_tenant, p_name, p_source);
    select l.roles, l.tenant, l.password_hash, l.device_salt, l.device_hash, l.old_salt,
           l.old_hash, l.generation, l.noted, l.has_crypt
      into roles, tenant, password_hash, device_salt, device_hash, old_salt,
           old_hash, generation, noted, has_crypt
      from devcred.user_login(named_tenant, null, null, p_name) l;
    return next;
end
$$;
comment on function devcred.login_ask(text, text, text, text, inet) is
    'user_login() for a request from this source, and what else a login depends on; always one row, without a tenant if nobody can log in by that name.
named_tenant: where it was looked for, "" if nowhere.  wait: login_wait().  known: login_note() has nothing to record if the password is right.';
