-- New device requests: what administrators do.
--
-- p_scope is the tenant of the one who asks; 'management' reaches all tenants.
-- A request of another tenant is 'absent', exactly like one that is not there.

create or replace function devcred.newdevice_create(
    p_scope text,
    p_actor text,
    p_source inet,
    p_id text,
    p_tenant text,
    p_group_id text,
    p_type text,
    p_custom_properties jsonb,
    p_request text default null)
returns table (
    outcome devcred.outcome,
    id text,
    tenant text,
    status devcred.request_status,
    owner text,
    created text,
    group_id text,
    type text,
    custom_properties jsonb)
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set lock_timeout = '2s'
as $$
#variable_conflict use_column
declare
    v_tenant text := p_scope;
    r devcred.newdevice_request;
begin
    if p_scope = 'management' and p_tenant is not null then
        v_tenant := p_tenant;
    end if;
    if not exists (select from devcred.tenant t where t.id = v_tenant) then
        return query
        select 'no_tenant'::devcred.outcome, p_id, v_tenant, null::devcred.request_status,
               null, null, null, null, null::jsonb;
        return;
    end if;
    if devcred.request_quota_reached(v_tenant)
            and not exists (select from devcred.newdevice_request n where n.id = p_id) then
        return query
        select 'limit_reached'::devcred.outcome, p_id, v_tenant, null::devcred.request_status,
               null, null, null, null, null::jsonb;
        return;
    end if;
    insert into devcred.newdevice_request
           (id, tenant, owner, group_id, type, custom_properties)
    values (p_id, v_tenant, p_actor, p_group_id, p_type,
           coalesce(p_custom_properties, '{}'))
    on conflict (id) do nothing
    returning * into r;
    if r.id is null then
        return query
        select 'exists'::devcred.outcome, p_id, v_tenant, null::devcred.request_status,
               null, null, null, null, null::jsonb;
        return;
    end if;
    insert into devcred.event
           (tenant, registration, device_id, operation, outcome, actor, source,
            status_after, request_id)
    values (r.tenant, r.seq, r.id, 'newdevice_create', 'ok', p_actor, p_source,
            r.status, p_request);
    return query
    select 'ok'::devcred.outcome, r.id, r.tenant, r.status, r.owner,
           devcred.iso_time(r.created_at), r.group_id, r.type, r.custom_properties;
end
$$;
comment on function devcred.newdevice_create(text, text, inet, text, text, text, text, jsonb, text) is
    'Register a device id.  p_tenant is obeyed for the management tenant only.  ok, exists, no_tenant, or limit_reached: the tenant has as many
requests as it may have.';

create or replace function devcred.request_quota_reached(p_tenant text)
returns bool
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    v_quota int;
begin
    select t.request_quota
      into v_quota
      from devcred.tenant t
     where t.id = p_tenant
       and t.request_quota is not null
       for no key update;      -- one newcomer of a tenant at a time
    return found and v_quota <= devcred.request_count(p_tenant, v_quota);
end
$$;
comment on function devcred.request_quota_reached(text) is
    'Whether the tenant has as many requests as it may have.';

create or replace function devcred.request_count(p_tenant text, p_most int)
returns bigint
language sql stable
set search_path = pg_catalog, pg_temp
as $$
    select count(*)
      from (select
              from devcred.newdevice_request r
             where r.tenant = p_tenant
             limit p_most) q
$$;
comment on function devcred.request_count(text, int) is
    'Requests of a tenant, counted up to p_most.';

create or replace function devcred.newdevice_get(p_scope text, p_id text)
returns table (
    outcome devcred.outcome,
    id text,
    tenant text,
    status devcred.request_status,
    owner text,
    created text,
    group_id text,
    type text,
    custom_properties jsonb)
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    select 'ok'::devcred.outcome, r.id, r.tenant, r.status, r.owner,
           devcred.iso_time(r.created_at), r.group_id, r.type, r.custom_properties
      from devcred.newdevice_request r
     where r.id = p_id
       and (r.tenant = p_scope or p_scope = 'management');
end
$$;
comment on function devcred.newdevice_get(text, text) is
    'One request; no row if there is none in reach.';

create or replace view devcred.newdevice_row as
select r.id,
       r.tenant,
       r.status,
       r.owner,
       r.created_at,
       r.group_id,
       r.type,
       r.custom_properties,
       r.last_seen_at,
       r.claimed_from,
       r.claimant_count,
       r.has_token,
       r.seq
  from devcred.newdevice_request r;
comment on view devcred.newdevice_row is
    'What lists tell of requests, of all tenants: for the service, which says whose it wants.';

create or replace function devcred.newdevice_reached(
    p_scope text,
    p_status devcred.request_status,
    p_prefix text)
returns setof devcred.newdevice_row
language sql stable
begin atomic
    select r.*
      from devcred.newdevice_row r
     where (p_scope = 'management' or r.tenant = p_scope)
       and (p_status is null or r.status = p_status)
       and (p_prefix is null or r.id ^@ p_prefix);
end;
comment on function devcred.newdevice_reached(text, devcred.request_status, text) is
    'Requests in reach; p_status and p_prefix (of the id) narrow them if not null.  Inlined wherever it is used, so that indexes are.';

create or replace function devcred.newdevice_page(
    p_scope text,
    p_status devcred.request_status,
    p_prefix text,
    p_limit int,
    p_offset bigint,
    p_before bigint,
    p_after bigint)
returns table (
    total bigint,
    id text,
    tenant text,
    status devcred.request_status,
    owner text,
    created float8,
    group_id text,
    type text,
    custom_properties jsonb,
    seq bigint)
language sql stable
begin atomic
    select null::bigint, r.id, r.tenant, r.status, r.owner, date_part('epoch', r.created_at),
           r.group_id, r.type, r.custom_properties, r.seq
      from (select m.*
              from devcred.newdevice_reached(p_scope, p_status, p_prefix) m
             where (p_before is null or m.seq < p_before)
               and (p_after is null or m.seq > p_after)
             -- the nearest of what comes after
             order by case when p_after is not null then m.seq end, m.seq desc
             limit p_limit
            offset p_offset) r
     order by r.seq desc;
end;
comment on function devcred.newdevice_page(text, devcred.request_status, text, int, bigint, bigint, bigint) is
    'A page of the list as newdevice_list() tells it, but for total and review, and in a third of its time: it is inlined, so that nothing is between
the statement and the table.  created: seconds since 1970.  No row: an empty page.';

create or replace function devcred.newdevice_list(
    p_scope text,
    p_status devcred.request_status,
    p_prefix text,
    p_limit int,
    p_offset bigint,
    p_count bool,
    p_before bigint default null,
    p_after bigint default null,
    p_known bigint default null)
returns table (
    total bigint,
    id text,
    tenant text,
    status devcred.request_status,
    owner text,
    created text,
    group_id text,
    type text,
    custom_properties jsonb,
    last_seen text,
    claimed_from text,
    claimants int,
    has_token bool,
    seq bigint)
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
as $$
#variable_conflict use_column
begin
    return query
    with page as (
        select r.*
          from devcred.newdevice_reached(p_scope, p_status, p_prefix) r
         where (p_before is null or r.seq < p_before)
           and (p_after is null or r.seq > p_after)
         -- the nearest of what comes after
         order by case when p_after is not null then r.seq end, r.seq desc
         limit p_limit
        offset p_offset
    )
    select c.n, r.id, r.tenant, r.status, r.owner,
           devcred.iso_time(r.created_at), r.group_id, r.type, r.custom_properties,
           devcred.iso_time(r.last_seen_at), host(r.claimed_from), r.claimant_count, r.has_token,
           r.seq
      from (select case when p_count then (
                select case when count(*) > 10000 then greatest(p_known, count(*)) else count(*) end
                  from (select
                          from devcred.newdevice_reached(p_scope, p_status, p_prefix) r
                         limit case when p_known is not null then 10001 end) q) end as n) c
      left join page r on true
     order by r.seq desc;
end
$$;
comment on function devcred.newdevice_list(text, devcred.request_status, text, int, bigint, bool, bigint, bigint, bigint) is
    'Requests in reach, newest first; p_status and p_prefix (of the id) narrow the list if not null; p_before and p_after to those older, or newer, than
one of this seq, nearest to it: any page costs the same, which p_offset does not.
total: how many there are in all, counted only if p_count; p_known, which was counted a moment ago, is told rather than more than 10,000 counted again.  An empty page is one row whose id is null.';

create or replace function devcred.newdevice_update(
    p_scope text,
    p_actor text,
    p_source inet,
    p_id text,
    p_status devcred.request_status,
    p_type text default null,
    p_token bytea default null,
    p_token_attempts int default 5,
    p_request text default null)
returns table (
    outcome devcred.outcome,
    id text,
    tenant text,
    status devcred.request_status,
    owner text,
    created text,
    group_id text,
    type text,
    custom_properties jsonb)
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set lock_timeout = '2s'
as $$
#variable_conflict use_column
declare
    r devcred.newdevice_request;
    v_policy devcred.token_policy;
    v_before devcred.request_status;
    v_outcome devcred.outcome := 'ok';
    v_operation text := case p_status
        when 'ACCEPTED' then 'newdevice_accept'
        when 'BLOCKED' then 'newdevice_block'
        else 'newdevice_lift' end;
begin
    -- lock first, check second
    select *
      into r
      from devcred.newdevice_request n
     where n.id = p_id
       and (n.tenant = p_scope or p_scope = 'management')
       for update;
    if not found then
        return;
    end if;
    v_before := r.status;
    select t.token_policy
      into v_policy
      from devcred.tenant t
     where t.id = r.tenant;

    case p_status
    when 'ACCEPTED' then
        if r.status <> 'PENDING_ACCEPTANCE' then
            v_outcome := 'wrong_state';
        elsif v_policy = 'REQUIRED' and r.token_hash is null then
            v_outcome := 'token_blocked';
            r.status := 'BLOCKED';
        elsif devcred.device_limit_reached(r.tenant, r.id) then
            v_outcome := 'limit_reached';
        elsif v_policy <> 'IGNORED' and r.token_hash is distinct from p_token
                and r.token_hash is not null then
            v_outcome := 'token_mismatch';
            if p_token is not null then     -- none at all is not a guess
                r.token_failures := r.token_failures + 1;
            end if;
            if r.token_failures >= p_token_attempts then
                v_outcome := 'token_blocked';
                r.status := 'BLOCKED';
            end if;
        else
            r.status := 'ACCEPTED';
        end if;
    when 'BLOCKED' then
        r.status := 'BLOCKED';
    when 'PENDING_ACCEPTANCE' then
        if r.status <> 'BLOCKED' or r.claimed_at is null then
            v_outcome := 'wrong_state';
        else
            r.status := 'PENDING_ACCEPTANCE';
        end if;
    when 'WAITING_FOR_CONNECTION' then
        if r.status <> 'BLOCKED' then
            v_outcome := 'wrong_state';
        else
            -- whoever comes next is the claimant
            r.status := 'WAITING_FOR_CONNECTION';
            r.claimed_at := null;
            r.claimed_from := null;
            r.last_seen_at := null;
            r.token_hash := null;
            r.claimants := '{}';
            r.lifted_at := clock_timestamp();
            delete from devcred.claimant c
             where c.registration = r.seq;
        end if;
    end case;

    if v_outcome <> 'wrong_state' then
        update devcred.newdevice_request n
           set status = r.status,
               type = case when v_outcome = 'ok' then coalesce(p_type, n.type) else n.type end,
               claimed_at = r.claimed_at,
               claimed_from = r.claimed_from,
               last_seen_at = r.last_seen_at,
               token_hash = r.token_hash,
               claimants = r.claimants,
               lifted_at = r.lifted_at,
               token_failures = case when v_before = 'BLOCKED' and r.status <> 'BLOCKED'
                   then 0 else r.token_failures end,
               accepted_at = case when r.status = 'ACCEPTED' then clock_timestamp() end,
               accepted_by = case when r.status = 'ACCEPTED' then p_actor end
         where n.id = r.id
        returning * into r;
    end if;
    insert into devcred.event
           (tenant, registration, device_id, operation, outcome, actor, source,
            status_before, status_after, request_id)
    values (r.tenant, r.seq, r.id, v_operation, v_outcome, p_actor, p_source,
            v_before, r.status, p_request);
    return query
    select v_outcome, r.id, r.tenant, r.status, r.owner,
           devcred.iso_time(r.created_at), r.group_id, r.type, r.custom_properties;
end
$$;
comment on function devcred.newdevice_update(text, text, inet, text, devcred.request_status, text, bytea, int, text) is
    'Accept, block or lift the block of a request; audited whatever the outcome.
p_token: devcred.token_digest() of the security token the administrator gave.  p_token_attempts: wrong tokens until the request is blocked.
ok, wrong_state, token_mismatch, token_blocked or limit_reached with the request as it now is; no row if there is none in reach.';

create or replace function devcred.newdevice_accept_all(
    p_scope text,
    p_actor text,
    p_source inet,
    p_request text default null)
returns table (
    outcome devcred.outcome,
    id text,
    tenant text,
    status devcred.request_status,
    owner text,
    created text,
    group_id text,
    type text,
    custom_properties jsonb)
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set lock_timeout = '2s'
as $$
#variable_conflict use_column
begin
    -- the oldest first; each by the rules for one, locked in the order of ids
    return query
    select u.*
      from (select r.id
              from (select n.id
                      from devcred.newdevice_request n
                     where n.status = 'PENDING_ACCEPTANCE'
                       and (n.tenant = p_scope or p_scope = 'management')
                       and not exists (select
                                         from devcred.decommissioned d
                                        where d.device_id = n.id
                                          and d.tenant = n.tenant)
                     order by n.seq
                     limit 2000) r
             order by r.id) pending
     cross join lateral devcred.newdevice_update(
           p_scope, p_actor, p_source, pending.id, 'ACCEPTED',
           p_request => p_request) u;
    return query
    select 'decommissioned'::devcred.outcome, n.id, n.tenant, n.status, n.owner,
           devcred.iso_time(n.created_at), n.group_id, n.type, n.custom_properties
      from devcred.newdevice_request n
      join devcred.decommissioned d
        on d.device_id = n.id
       and d.tenant = n.tenant
     where n.status = 'PENDING_ACCEPTANCE'
       and (n.tenant = p_scope or p_scope = 'management')
     order by n.seq
     limit 100;
end
$$;
comment on function devcred.newdevice_accept_all(text, text, inet, text) is
    'Accept what waits for acceptance, at most 2,000 requests at a time; a row for each, as newdevice_update() answers.
Requests whose device sent a security token are refused (token_mismatch): that takes the token; so are devices that were
decommissioned (decommissioned): they take a look.';

create or replace function devcred.device_limit_reached(p_tenant text, p_id text)
returns bool
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    v_limit int;
begin
    select t.device_limit
      into v_limit
      from devcred.tenant t
     where t.id = p_tenant
       and t.device_limit is not null
       and not exists (select
                         from devcred.device_credential c
                        where c.tenant = p_tenant
                          and c.device_id = p_id)
       for no key update;      -- one newcomer of a tenant at a time
    return found and v_limit <= devcred.device_count(p_tenant);
end
$$;
comment on function devcred.device_limit_reached(text, text) is
    'Whether the tenant may not take this device in; one that has credentials it may always.';

create or replace function devcred.device_count(p_tenant text)
returns bigint
language sql stable
set search_path = pg_catalog, pg_temp
as $$
    select (select count(*)
              from devcred.device_credential c
             where c.tenant = p_tenant)
         + (select count(*)
              from devcred.newdevice_request r
             where r.tenant = p_tenant
               and r.status = 'ACCEPTED'
               and not exists (select
                                 from devcred.device_credential c
                                where c.tenant = p_tenant
                                  and c.device_id = r.id))
$$;
comment on function devcred.device_count(text) is
    'Devices of a tenant: those with credentials, and those accepted that will have them.';

create or replace function devcred.newdevice_limit(p_scope text)
returns table (device_limit int, device_count bigint)
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    select t.device_limit,
           case when t.device_limit is not null then devcred.device_count(t.id) end
      from devcred.tenant t
     where t.id = p_scope;
end
$$;
comment on function devcred.newdevice_limit(text) is
    'How many devices a tenant may have and has; nulls if there is no limit, no row if there is no such tenant.';

create or replace function devcred.newdevice_delete(
    p_scope text,
    p_actor text,
    p_source inet,
    p_id text,
    p_request text default null)
returns table (outcome devcred.outcome)
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set lock_timeout = '2s'
as $$
begin
    return query
    with gone as (
        delete from devcred.newdevice_request r
         where r.id = p_id
           and (r.tenant = p_scope or p_scope = 'management')
        returning r.*
    )
    insert into devcred.event
           (tenant, registration, device_id, operation, outcome, actor, source,
            status_before, request_id)
    select g.tenant, g.seq, g.id, 'newdevice_delete', 'ok', p_actor, p_source,
           g.status, p_request
      from gone g
    returning 'ok'::devcred.outcome;
end
$$;
comment on function devcred.newdevice_delete(text, text, inet, text, text) is
    'Withdraw a request in any state; issued credentials stay.  No row if there is none in reach.';

create or replace function devcred.newdevice_claims(p_scope text, p_id text)
returns table (
    claimed text,
    source text,
    agent text,
    has_token bool,
    actor text)
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    select devcred.iso_time(c.claimed_at),
           host(c.source),
           c.agent,
           c.has_token,
           c.actor
      from devcred.newdevice_request r
      join devcred.claimant c
        on c.registration = r.seq
     where r.id = p_id
       and (r.tenant = p_scope or p_scope = 'management')
     order by c.claimed_at;
end
$$;
comment on function devcred.newdevice_claims(text, text) is
    'Who has asked for the id of a request, one row for each, the first one first; no row if nobody has, or there is no request in reach.';
