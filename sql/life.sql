-- The life of a credential after it was issued: what administrators do.
--
-- p_scope is the tenant of the one who asks; 'management' reaches all tenants
-- and names one with p_tenant where the id alone does not.

create or replace function devcred.credential_status(c devcred.device_credential)
returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
    select case when (c).disabled_at is not null then 'DISABLED'
                when (c).expires_at <= now() then 'EXPIRED'
                else 'ACTIVE' end
$$;
comment on function devcred.credential_status(devcred.device_credential) is
    'ACTIVE, DISABLED or EXPIRED.';

create or replace function devcred.credential_tell(
    p_outcome devcred.outcome,
    c devcred.device_credential)
returns devcred.credential_state
language sql stable
set search_path = pg_catalog, pg_temp
as $$
    select row(p_outcome,
               (c).device_id,
               (c).tenant,
               (c).username,
               devcred.credential_status(c),
               (c).generation,
               devcred.iso_time((c).issued_at),
               host((c).issued_to),
               devcred.iso_time((c).first_used_at),
               devcred.iso_time((c).expires_at),
               case when (c).reopened_at is not null and (c).delivery_until > now()
                        then 'REOPENED'
                    when (c).sealed is not null and (c).delivery_until > now()
                        and (c).deliveries < (c).delivery_limit then 'OPEN'
                    else 'CLOSED' end,
               (c).deliveries,
               (c).failures,
               (c).accepted_by,
               (c).custom_properties)::devcred.credential_state
$$;
comment on function devcred.credential_tell(devcred.outcome, devcred.device_credential) is
    'A credential as administrators see it.';

create or replace function devcred.credential_find(p_scope text, p_tenant text, p_id text)
returns devcred.device_credential
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    v_found devcred.device_credential[];
begin
    -- lock first, check second
    select array_agg(c)
      into v_found
      from (select d.*
              from devcred.device_credential d
             where d.device_id = p_id
               and (d.tenant = p_scope or p_scope = 'management')
               and (p_tenant is null or d.tenant = p_tenant)
             order by d.tenant
               for update) c;
    if cardinality(v_found) = 1 then
        return v_found[1];
    end if;
    return null;    -- none, or several: then one has to be named
end
$$;
comment on function devcred.credential_find(text, text, text) is
    'The credential of a device, locked; null if there is none in reach, or several.';

create or replace function devcred.credential_note(
    p_operation text,
    p_outcome devcred.outcome,
    p_actor text,
    p_source inet,
    c devcred.device_credential,
    p_request text default null)
returns void
language sql
set search_path = pg_catalog, pg_temp
as $$
    insert into devcred.event
           (tenant, registration, device_id, operation, outcome, actor, source,
            request_id)
    values ((c).tenant, (c).registration, (c).device_id, p_operation, p_outcome,
           p_actor, p_source, p_request)
$$;
comment on function devcred.credential_note(text, devcred.outcome, text, inet, devcred.device_credential, text) is
    'Record what was decided about a credential.';

create or replace function devcred.credential_get(p_scope text, p_tenant text, p_id text)
returns setof devcred.credential_state
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    select t.*
      from devcred.device_credential c
     cross join lateral devcred.credential_tell('ok', c) t
     where c.device_id = p_id
       and (c.tenant = p_scope or p_scope = 'management')
       and (p_tenant is null or c.tenant = p_tenant)
     order by c.tenant
     limit 1;
end
$$;
comment on function devcred.credential_get(text, text, text) is
    'One credential; no row if there is none in reach.';

create or replace function devcred.credential_list(
    p_scope text,
    p_status text,
    p_prefix text,
    p_limit int,
    p_offset bigint,
    p_count bool,
    p_before bigint default null,
    p_after bigint default null,
    p_known bigint default null)
returns table (
    total bigint,
    outcome devcred.outcome,
    id text,
    tenant text,
    username text,
    status text,
    generation int,
    issued text,
    issued_to text,
    first_used text,
    expires text,
    delivery text,
    deliveries int,
    failures bigint,
    accepted_by text,
    custom_properties jsonb,
    registration bigint)
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
as $$
#variable_conflict use_column
begin
    return query
    with page as (
        select c as credential, c.registration
          from devcred.device_credential c
         where (p_scope = 'management' or c.tenant = p_scope)
           and (p_status is null or devcred.credential_status(c) = p_status)
           and (p_prefix is null or c.device_id ^@ p_prefix)
           and (p_before is null or c.registration < p_before)
           and (p_after is null or c.registration > p_after)
         order by case when p_after is not null then c.registration end, c.registration desc
         limit p_limit
        offset p_offset
    )
    select k.total, t.*, p.registration
      from (select case when p_count then (
                select case when count(*) > 10000 then greatest(p_known, count(*)) else count(*) end
                  from (select
                          from devcred.device_credential c
                         where (p_scope = 'management' or c.tenant = p_scope)
                           and (p_status is null or devcred.credential_status(c) = p_status)
                           and (p_prefix is null or c.device_id ^@ p_prefix)
                         limit case when p_known is not null then 10001 end) q) end as total) k
      left join page p on true
      left join lateral devcred.credential_tell('ok', p.credential) t
        on p.registration is not null
     order by p.registration desc;
end
$$;
comment on function devcred.credential_list(text, text, text, int, bigint, bool, bigint, bigint, bigint) is
    'Credentials in reach, newest first; p_status (ACTIVE, DISABLED, EXPIRED) and p_prefix (of the id) narrow the list if not null; p_before, p_after and
p_known as in newdevice_list(), with registrations.
total: how many there are in all, counted only if p_count.  An empty page is one row without a credential.';

create or replace function devcred.credential_rotate(
    p_scope text,
    p_actor text,
    p_source inet,
    p_tenant text,
    p_id text,
    p_salt bytea,
    p_hash bytea,
    p_overlap int,
    p_crypt_hash text default null,
    p_request text default null)
returns setof devcred.credential_state
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set lock_timeout = '2s'
as $$
declare
    c devcred.device_credential := devcred.credential_find(p_scope, p_tenant, p_id);
begin
    if c.device_id is null then
        return;
    end if;
    update devcred.device_credential d
       set old_salt = case when p_overlap > 0 then coalesce(used.salt, d.password_salt) end,
           old_hash = case when p_overlap > 0 then coalesce(used.hash, d.password_hash) end,
           old_until = case when p_overlap > 0
               then clock_timestamp() + make_interval(secs => p_overlap) end,
           password_salt = p_salt,
           password_hash = p_hash,
           crypt_hash = p_crypt_hash,
           generation = d.generation + 1,
           first_used_at = null,
           seal_key = null,
           sealed = null,
           reopened_at = null
      from (select case when c.first_used_at is null and c.old_until > now() then c.old_salt end as salt,
                   case when c.first_used_at is null and c.old_until > now() then c.old_hash end as hash) used
     where d.device_id = c.device_id
       and d.tenant = c.tenant
    returning d.* into c;
    perform devcred.credential_note('credential_rotate', 'ok', p_actor, p_source, c, p_request);
    return next devcred.credential_tell('ok', c);
end
$$;
comment on function devcred.credential_rotate(text, text, inet, text, text, bytea, bytea, int, text, text) is
    'Give a device a new password by its salt and hash.  The one it has works on until the new one is used, for p_overlap seconds at most (0: not at
all); of several rotations in a row the one that the device has.  No row if there is none in reach.';

create or replace function devcred.credential_disable(
    p_scope text,
    p_actor text,
    p_source inet,
    p_tenant text,
    p_id text,
    p_disabled bool,
    p_request text default null)
returns setof devcred.credential_state
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set lock_timeout = '2s'
as $$
declare
    c devcred.device_credential := devcred.credential_find(p_scope, p_tenant, p_id);
begin
    if c.device_id is null then
        return;
    end if;
    if (c.disabled_at is not null) <> p_disabled then
        update devcred.device_credential d
           set disabled_at = case when p_disabled then clock_timestamp() end
         where d.device_id = c.device_id
           and d.tenant = c.tenant
        returning d.* into c;
        perform devcred.credential_note(case when p_disabled then 'credential_disable'
            else 'credential_enable' end, 'ok', p_actor, p_source, c, p_request);
    end if;
    return next devcred.credential_tell('ok', c);
end
$$;
comment on function devcred.credential_disable(text, text, inet, text, text, bool, text) is
    'Refuse a device''s logins from now on (true) or allow them again (false).  No row if there is none in reach.';

create or replace function devcred.credential_expire(
    p_scope text,
    p_actor text,
    p_source inet,
    p_tenant text,
    p_id text,
    p_expires_at timestamptz,
    p_request text default null)
returns setof devcred.credential_state
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set lock_timeout = '2s'
as $$
declare
    c devcred.device_credential := devcred.credential_find(p_scope, p_tenant, p_id);
begin
    if c.device_id is null then
        return;
    end if;
    if c.expires_at is distinct from p_expires_at then
        update devcred.device_credential d
           set expires_at = p_expires_at
         where d.device_id = c.device_id
           and d.tenant = c.tenant
        returning d.* into c;
        perform devcred.credential_note('credential_expire', 'ok', p_actor, p_source, c, p_request);
    end if;
    return next devcred.credential_tell('ok', c);
end
$$;
comment on function devcred.credential_expire(text, text, inet, text, text, timestamptz, text) is
    'Set when a credential ends to work; null: never.  No row if there is none in reach.';

create or replace function devcred.credential_reopen(
    p_scope text,
    p_actor text,
    p_source inet,
    p_tenant text,
    p_id text,
    p_window int,
    p_request text default null)
returns setof devcred.credential_state
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set lock_timeout = '2s'
as $$
declare
    c devcred.device_credential := devcred.credential_find(p_scope, p_tenant, p_id);
    v_outcome devcred.outcome := 'ok';
begin
    if c.device_id is null then
        return;
    end if;
    if c.claimed_by is null or c.disabled_at is not null then
        v_outcome := 'wrong_state';     -- it was never delivered by a poll
    else
        -- what is still sealed is delivered again, else the next poll gets anew
        update devcred.device_credential d
           set delivery_until = clock_timestamp() + make_interval(secs => p_window),
               delivery_limit = d.deliveries + greatest(d.delivery_limit, 1),
               reopened_at = case when d.sealed is null then clock_timestamp() end,
               refused_at = null
         where d.device_id = c.device_id
           and d.tenant = c.tenant
        returning d.* into c;
    end if;
    perform devcred.credential_note('credential_reopen', v_outcome, p_actor, p_source, c, p_request);
    return next devcred.credential_tell(v_outcome, c);
end
$$;
comment on function devcred.credential_reopen(text, text, inet, text, text, int, text) is
    'Let the device that the password was issued to ask once more.  ok; wrong_state: it was given by an administrator, or is disabled.
What it has works on until what it gets is used.  No row if there is none in reach.';

create or replace function devcred.credential_revoke(
    p_scope text,
    p_actor text,
    p_source inet,
    p_tenant text,
    p_id text,
    p_request text default null)
returns setof devcred.credential_state
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set lock_timeout = '2s'
as $$
declare
    c devcred.device_credential := devcred.credential_find(p_scope, p_tenant, p_id);
begin
    if c.device_id is null then
        return;
    end if;
    delete from devcred.device_credential d
     where d.device_id = c.device_id
       and d.tenant = c.tenant;
    perform devcred.credential_note('credential_revoke', 'ok', p_actor, p_source, c, p_request);
    return next devcred.credential_tell('ok', c);
end
$$;
comment on function devcred.credential_revoke(text, text, inet, text, text, text) is
    'End a credential for good, at once; it is told as it was.  No row if there is none in reach.';

create or replace function devcred.credential_decommission(
    p_scope text,
    p_actor text,
    p_source inet,
    p_tenant text,
    p_id text,
    p_request text default null)
returns setof devcred.credential_state
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set lock_timeout = '2s'
as $$
declare
    c devcred.device_credential;
    r devcred.newdevice_request;
begin
    select n.*
      into r
      from devcred.newdevice_request n
     where n.id = p_id
       and (n.tenant = p_scope or p_scope = 'management')
       and (p_tenant is null or n.tenant = p_tenant)
       for update;
    c := devcred.credential_find(p_scope, coalesce(p_tenant, r.tenant), p_id);
    if c.device_id is null and r.id is null then
        return;
    end if;
    if r.id is not null then
        perform devcred.newdevice_delete(p_scope, p_actor, p_source, p_id, p_request);
    end if;
    if c.device_id is null then
        c.device_id := r.id;
        c.tenant := r.tenant;
        c.username := 'device_' || r.id;
        c.registration := r.seq;
        c.accepted_by := r.accepted_by;
    end if;
    delete from devcred.device_credential d
     where d.device_id = c.device_id
       and d.tenant = c.tenant;
    insert into devcred.decommissioned as o (device_id, tenant, actor)
    values (c.device_id, c.tenant, p_actor)
    on conflict (device_id, tenant) do update
       set at = excluded.at,
           actor = excluded.actor;
    perform devcred.credential_note('credential_decommission', 'ok', p_actor, p_source, c, p_request);
    return next devcred.credential_tell('ok', c);
end
$$;
comment on function devcred.credential_decommission(text, text, inet, text, text, text) is
    'Take a device out of service: its request and its credential go, and should the id come again, it is accepted one by one only.
No row if there is neither in reach.';
