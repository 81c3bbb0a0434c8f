-- The door for SQL: what administrators do, for people with a login of the
-- database.  The same functions do it as for HTTP and devcredctl; who acts is
-- the login, for which tenant is what it was granted.

create or replace function devcred.door_scope(p_id text, p_tenant text)
returns text
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_reach text[];
begin
    if pg_has_role(devcred.acting_role(), 'devcred_registrar', 'usage')
            or pg_has_role(devcred.acting_role(), 'devcred_owner', 'usage') then
        return 'management';
    end if;
    v_reach := devcred.reach(true);
    if v_reach = '{}' then
        raise exception '% may not change anything in devcred', devcred.acting_role()
            using errcode = 'insufficient_privilege',
                  hint = 'devcredctl tenant grant-login TENANT ' || devcred.acting_role();
    end if;
    if p_tenant is not null then
        return case when p_tenant = any (v_reach) then p_tenant else '' end;
    end if;
    if cardinality(v_reach) = 1 then
        return v_reach[1];
    end if;
    return coalesce((select min(d.tenant)
                       from (select r.tenant
                               from devcred.newdevice_request r
                              where r.id = p_id
                             union
                             select c.tenant
                               from devcred.device_credential c
                              where c.device_id = p_id) d
                      where d.tenant = any (v_reach)
                     having count(*) = 1), '');
end
$$;
comment on function devcred.door_scope(text, text) is
    'The tenant that whoever asks acts for: "management" for administrators of all; of the tenants granted the one named, the only one, or the only one
that has the device; else "", which reaches nothing.';

create or replace function devcred.door_actor()
returns text
language sql stable
return 'db:' || session_user;
comment on function devcred.door_actor() is
    'Who acts, for the audit: the login, whatever role it has taken on.';

create or replace function devcred.device_id_is_sound(p_id text)
returns bool
language sql immutable
return coalesce(pg_catalog.char_length(p_id) between 1 and 1000
    and p_id !~ '[[:space:][:cntrl:]/\\+$:]'
    and p_id not in ('.', '..'), false);
comment on function devcred.device_id_is_sound(text) is
    'Whether a device may have this id; the constraints of newdevice_request say the same.';

-- Requests --------------------------------------------------------------------

create or replace function devcred.request_create(
    p_id text,
    p_tenant text default null,
    p_type text default null,
    p_group_id text default null,
    p_custom_properties jsonb default null)
returns table (outcome devcred.outcome, id text, tenant text, status devcred.request_status)
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    if not devcred.device_id_is_sound(p_id) then
        return query
        select 'invalid'::devcred.outcome, p_id, p_tenant, null::devcred.request_status;
        return;
    end if;
    return query
    select c.outcome, c.id, c.tenant, c.status
      from devcred.newdevice_create(devcred.door_scope(p_id, p_tenant), devcred.door_actor(),
           null, p_id, p_tenant, p_group_id, p_type, p_custom_properties) c;
end
$$;
comment on function devcred.request_create(text, text, text, text, jsonb) is
    'Register a device id.  p_tenant: where there is a choice.  ok, exists, no_tenant or invalid.';

create or replace function devcred.request_accept(p_id text, p_token text default null)
returns table (outcome devcred.outcome, id text, tenant text, status devcred.request_status)
language sql security definer
set search_path = pg_catalog, pg_temp
as $$
    select u.outcome, u.id, u.tenant, u.status
      from devcred.newdevice_update(devcred.door_scope(p_id, null), devcred.door_actor(),
           null, p_id, 'ACCEPTED', null, devcred.token_digest(p_id, p_token)) u
$$;
comment on function devcred.request_accept(text, text) is
    'Let a device have its credentials; p_token: its security token, if it sent one.  ok, wrong_state, token_mismatch, token_blocked or
limit_reached, which are audited; no row if there is no such request.';

create or replace function devcred.request_accept_all(p_tenant text default null)
returns table (outcome devcred.outcome, id text, tenant text, status devcred.request_status)
language sql security definer
set search_path = pg_catalog, pg_temp
as $$
    select u.outcome, u.id, u.tenant, u.status
      from (select devcred.door_scope(null, p_tenant)) d (scope)
     cross join lateral devcred.newdevice_accept_all(
           case when d.scope = 'management' then coalesce(p_tenant, d.scope) else d.scope end,
           devcred.door_actor(), null) u
$$;
comment on function devcred.request_accept_all(text) is
    'Accept what waits for acceptance, at most 2,000 requests at a time; a row for each.  p_tenant: of that one only.';

create or replace function devcred.request_block(p_id text)
returns table (outcome devcred.outcome, id text, tenant text, status devcred.request_status)
language sql security definer
set search_path = pg_catalog, pg_temp
as $$
    select u.outcome, u.id, u.tenant, u.status
      from devcred.newdevice_update(devcred.door_scope(p_id, null), devcred.door_actor(),
           null, p_id, 'BLOCKED') u
$$;
comment on function devcred.request_block(text) is
    'Refuse a device, but keep its request.  ok; no row if there is no such request.';

create or replace function devcred.request_lift(p_id text, p_forget bool default false)
returns table (outcome devcred.outcome, id text, tenant text, status devcred.request_status)
language sql security definer
set search_path = pg_catalog, pg_temp
as $$
    select u.outcome, u.id, u.tenant, u.status
      from devcred.newdevice_update(devcred.door_scope(p_id, null), devcred.door_actor(), null,
           p_id, case when p_forget then 'WAITING_FOR_CONNECTION'
               else 'PENDING_ACCEPTANCE' end::devcred.request_status) u
$$;
comment on function devcred.request_lift(text, bool) is
    'Lift a block; p_forget: whoever asks next is the claimant.  ok or wrong_state; no row if there is no such request.';

create or replace function devcred.request_delete(p_id text)
returns table (outcome devcred.outcome)
language sql security definer
set search_path = pg_catalog, pg_temp
as $$
    select d.outcome
      from devcred.newdevice_delete(devcred.door_scope(p_id, null), devcred.door_actor(),
           null, p_id) d
$$;
comment on function devcred.request_delete(text) is
    'Withdraw a request; issued credentials stay.  ok; no row if there is no such request.';

create or replace function devcred.request_load(
    p_id text[],
    p_tenant text default null,
    p_type text default null)
returns table (line int, outcome devcred.outcome, id text, tenant text)
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_scope text := devcred.door_scope(null, p_tenant);
    v_bulk bigint := nextval('devcred.bulk_number');
begin
    insert into devcred.bulk_row (device_id, bulk, batch, line, tenant, type, custom_properties)
    select a.id, v_bulk, 1, a.n, p_tenant, p_type, '{}'
      from unnest(p_id) with ordinality a (id, n)
     where devcred.device_id_is_sound(a.id);
    return query
    select a.n::int, 'invalid'::devcred.outcome, a.id, coalesce(p_tenant, v_scope)
      from unnest(p_id) with ordinality a (id, n)
     where not devcred.device_id_is_sound(a.id)
    union all
    select l.*
      from devcred.newdevice_load(v_scope, devcred.door_actor(), null, v_bulk, 1) l
     order by 1;
end
$$;
comment on function devcred.request_load(text[], text, text) is
    'Register many device ids at once.  A row for each that was not, with its place in p_id from 1: exists, no_tenant or invalid; the others are registered.';

-- Plain statements --------------------------------------------------------------

create or replace function devcred.door_refuse(p_outcome devcred.outcome, p_id text)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    case p_outcome
    when 'ok' then
        null;
    when 'exists' then
        raise exception 'the device id "%" is taken', p_id
            using errcode = 'unique_violation';
    when 'no_tenant' then
        raise exception 'the tenant of device "%" does not exist, or has to be named', p_id
            using errcode = 'foreign_key_violation';
    when 'wrong_state' then
        raise exception 'device "%" is in a state that does not allow this', p_id
            using errcode = 'check_violation';
    when 'token_mismatch', 'token_blocked' then
        raise exception 'device "%" is accepted with its security token only', p_id
            using errcode = 'check_violation',
                  hint = 'select * from devcred.request_accept(id, token)';
    else
        raise exception 'device "%": %', p_id, p_outcome
            using errcode = 'check_violation';
    end case;
end
$$;
comment on function devcred.door_refuse(devcred.outcome, text) is
    'Turn an outcome that is not ok into the error that a statement ends with.';

create or replace function devcred.request_dml()
returns trigger
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_scope text := devcred.door_scope(coalesce(old.id, new.id), coalesce(old.tenant, new.tenant));
    v_outcome devcred.outcome;
    w devcred.request;      -- what new may be
begin
    case tg_op
    when 'DELETE' then
        select d.outcome
          into v_outcome
          from devcred.newdevice_delete(v_scope, devcred.door_actor(), null, old.id) d;
        return case when found then old end;
    when 'INSERT' then
        w.id := new.id;
        w.tenant := new.tenant;
        w.group_id := new.group_id;
        w.type := new.type;
        w.custom_properties := new.custom_properties;
        w.status := case when new.status = 'WAITING_FOR_CONNECTION' then new.status end;
        if new is distinct from w then
            raise exception 'a new request has an id, and may have tenant, type, group_id and custom_properties'
                using errcode = 'check_violation',
                      detail = 'Everything else comes with its story.';
        end if;
        if not devcred.device_id_is_sound(new.id) then
            raise exception 'no device can have the id "%"', new.id
                using errcode = 'check_violation',
                      detail = 'An id has 1 to 1000 characters, and none of white space, controls, / \ + $ and :.';
        end if;
        select c.outcome, c.tenant, c.status, c.owner, c.created::timestamptz, c.custom_properties
          into v_outcome, new.tenant, new.status, new.owner, new.created_at, new.custom_properties
          from devcred.newdevice_create(v_scope, devcred.door_actor(), null, new.id, new.tenant,
               new.group_id, new.type, new.custom_properties) c;
    when 'UPDATE' then
        w := old;
        w.status := new.status;
        w.type := new.type;
        if new is distinct from w or new.status = old.status and new.type is distinct from old.type then
            raise exception 'of a request the status can be changed, and the type together with it'
                using errcode = 'check_violation';
        end if;
        if new.status = old.status then
            return new;
        end if;
        select u.outcome
          into v_outcome
          from devcred.newdevice_update(v_scope, devcred.door_actor(), null, old.id, new.status,
               new.type) u;
        if not found then
            return null;        -- gone in between
        end if;
    end case;
    perform devcred.door_refuse(v_outcome, new.id);
    return new;
end
$$;
comment on function devcred.request_dml() is
    'Trigger: statements on the view request do what the functions do, in the name of the login; what they refuse is an error, and undone.';

create or replace trigger request_dml
    instead of insert or update or delete on devcred.request
    for each row execute function devcred.request_dml();
comment on trigger request_dml on devcred.request is
    'insert registers a device, update accepts or blocks it or lifts the block (status), delete withdraws.';

-- Tenants ---------------------------------------------------------------------

create or replace function devcred.customer_dml()
returns trigger
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_scope text := devcred.door_scope(null, old.id);
    w devcred.customer := old;      -- what new may be
begin
    w.token_policy := new.token_policy;
    if v_scope = 'management' then
        w.domain_name := new.domain_name;
        w.device_limit := new.device_limit;
        w.waiting_expiry := new.waiting_expiry;
        w.pending_expiry := new.pending_expiry;
        w.request_quota := new.request_quota;
        w.outbox := new.outbox;
    end if;
    if new is distinct from w or v_scope = '' then
        raise exception 'of a tenant % can be changed', case when v_scope = 'management'
                then 'all but id and created_at' else 'the token_policy' end
            using errcode = 'check_violation';
    end if;
    perform devcred.tenant_set(old.id, devcred.door_actor(), null, coalesce(new.domain_name, ''),
        new.token_policy, coalesce(new.device_limit::text, 'none'), null,
        coalesce(new.waiting_expiry::text, 'none'), coalesce(new.pending_expiry::text, 'none'),
        coalesce(new.request_quota::text, 'none'), new.outbox);
    return new;
end
$$;
comment on function devcred.customer_dml() is
    'Trigger: updates of the view customer set what a tenant has, in the name of the login; its own logins set the policy alone.';

create or replace trigger customer_dml
    instead of update on devcred.customer
    for each row execute function devcred.customer_dml();
comment on trigger customer_dml on devcred.customer is
    'update sets token_policy, and for administrators of all tenants everything but id and created_at.';
