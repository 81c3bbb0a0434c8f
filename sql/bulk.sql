-- Bulk registration.  The service copies the lines of a file to bulk_row, some
-- thousand at a time, and has each batch taken in by one of these functions;
-- whatever is wrong with a line is said of that line alone.

create or replace function devcred.bulk_begin()
returns table (bulk bigint)
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    -- what processes that died have left behind
    delete from devcred.bulk_row r
     where r.staged_at < now() - interval '1 hour';
    return query
    select nextval('devcred.bulk_number');
end
$$;
comment on function devcred.bulk_begin() is
    'A number for an upload.';

create or replace function devcred.bulk_lines(p_scope text, p_bulk bigint, p_batch int)
returns table (
    line int,
    id text,
    target text,
    known bool,
    device_limit int,
    type text,
    custom_properties jsonb,
    password_salt bytea,
    password_hash bytea,
    nth bigint,
    times bigint)
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    select s.line,
           s.device_id,
           w.target,
           t.id is not null,
           t.device_limit,
           s.type,
           s.custom_properties,
           s.password_salt,
           s.password_hash,
           row_number() over (partition by w.target, s.device_id order by s.line),
           count(*) over (partition by w.target, s.device_id)
      from devcred.bulk_row s
     cross join lateral (
           select case when p_scope = 'management' then coalesce(s.tenant, p_scope)
                       else p_scope end) w (target)
      left join devcred.tenant t
        on t.id = w.target
     where s.bulk = p_bulk
       and s.batch = p_batch;
end
$$;
comment on function devcred.bulk_lines(text, bigint, int) is
    'The lines of a batch and the tenants they are for.  nth and times: which line it is of those with its id, and of how many.';

create or replace function devcred.newdevice_load(
    p_scope text,
    p_actor text,
    p_source inet,
    p_bulk bigint,
    p_batch int,
    p_request text default null)
returns table (
    line int,
    outcome devcred.outcome,
    id text,
    tenant text)
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set lock_timeout = '2s'
as $$
#variable_conflict use_column
begin
    perform
       from devcred.tenant t
      where t.id in (select b.target
                       from devcred.bulk_lines(p_scope, p_bulk, p_batch) b)
        and t.request_quota is not null
      order by t.id
        for no key update;

    return query
    with lines as materialized (
        select b.*
          from devcred.bulk_lines(p_scope, p_bulk, p_batch) b
    ), room as (
        select t.id as target,
               t.request_quota - devcred.request_count(t.id, t.request_quota) as places
          from devcred.tenant t
         where t.id in (select b.target from lines b)
           and t.request_quota is not null
    ), refused as (
        select n.target, n.id
          from (select b.target,
                       b.id,
                       m.places,
                       row_number() over (partition by b.target order by b.line) as place
                  from lines b
                  join room m on m.target = b.target
                 where b.nth = 1
                   and not exists (select
                                     from devcred.newdevice_request r
                                    where r.id = b.id)) n
         where n.place > n.places
    ), created as (
        -- one order for everybody, so that two files never deadlock
        insert into devcred.newdevice_request
               (id, tenant, owner, type, custom_properties)
        select distinct on (b.id)
               b.id, b.target, p_actor, b.type, b.custom_properties
          from lines b
         where b.known
           and not exists (select
                             from refused f
                            where f.target = b.target
                              and f.id = b.id)
         order by b.id, b.line
        on conflict (id) do nothing
        returning id, tenant, seq, status
    ), event as (
        insert into devcred.event
               (tenant, registration, device_id, operation, outcome, actor, source,
                status_after, request_id)
        select c.tenant, c.seq, c.id, 'newdevice_create', 'ok', p_actor, p_source,
               c.status, p_request
          from created c
    )
    select b.line,
           case when not b.known then 'no_tenant'
                when f.id is not null then 'limit_reached'
                else 'exists' end::devcred.outcome,
           b.id,
           b.target
      from lines b
      left join refused f
        on f.target = b.target
       and f.id = b.id
      left join created c
        on c.id = b.id
       and c.tenant = b.target
       and b.nth = 1
     where c.id is null
     order by b.line;

    delete from devcred.bulk_row s
     where s.bulk = p_bulk
       and s.batch = p_batch;
end
$$;
comment on function devcred.newdevice_load(text, text, inet, bigint, int, text) is
    'Register the devices of a batch, which is used up.  A row for each line that was not: exists, no_tenant, or
limit_reached: the tenant has as many requests as it may have.';

create or replace function devcred.credential_load(
    p_scope text,
    p_actor text,
    p_source inet,
    p_bulk bigint,
    p_batch int,
    p_request text default null)
returns table (
    line int,
    outcome devcred.outcome,
    id text,
    tenant text)
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set lock_timeout = '2s'
as $$
#variable_conflict use_column
begin
    -- lock first, in the order that everybody keeps: requests, tenants
    perform
       from devcred.newdevice_request r
      where r.id in (select b.id from devcred.bulk_lines(p_scope, p_bulk, p_batch) b)
        and (r.tenant = p_scope or p_scope = 'management')
      order by r.id
        for update;
    perform
       from devcred.tenant t
      where t.id in (select b.target
                       from devcred.bulk_lines(p_scope, p_bulk, p_batch) b)
        and t.device_limit is not null
      order by t.id
        for no key update;

    return query
    with lines as materialized (
        select b.*,
               c.device_id is not null as has_credential
          from devcred.bulk_lines(p_scope, p_bulk, p_batch) b
          left join devcred.device_credential c
            on c.tenant = b.target
           and c.device_id = b.id
    ), room as (
        select t.id as target,
               t.device_limit - devcred.device_count(t.id) as places
          from devcred.tenant t
         where t.id in (select b.target from lines b where b.device_limit is not null)
    ), newcomer as (
        select b.target,
               b.id,
               row_number() over (partition by b.target order by b.line) as place
          from lines b
         where b.device_limit is not null
           and b.nth = 1
           and not b.has_credential
           and not exists (select       -- accepted: counted already
                             from devcred.newdevice_request r
                            where r.id = b.id
                              and r.tenant = b.target
                              and r.status = 'ACCEPTED')
    ), refused as (
        select n.target, n.id
          from newcomer n
          join room m on m.target = n.target
         where n.place > m.places
    ), answer as materialized (
        select b.*,
               case when not b.known then 'no_tenant'
                    when f.id is not null then 'limit_reached'
                    when b.has_credential or b.nth > 1 then 'updated'
                    else 'ok' end::devcred.outcome as outcome
          from lines b
          left join refused f
            on f.target = b.target
           and f.id = b.id
    ), taken as materialized (
        -- of several lines of a device the last one counts
        select a.*,
               nextval('devcred.newdevice_request_seq_seq') as registration
          from answer a
         where a.outcome in ('ok', 'updated')
           and a.nth = a.times
    ), credential as (
        insert into devcred.device_credential as c
               (tenant, device_id, password_salt, password_hash, generation,
                registration, accepted_at, accepted_by, custom_properties)
        select t.target, t.id, t.password_salt, t.password_hash, t.times::int,
               t.registration, now(), p_actor, t.custom_properties
          from taken t
         order by t.target, t.id
        on conflict (device_id, tenant) do update
           set password_salt = excluded.password_salt,
               password_hash = excluded.password_hash,
               generation = c.generation + excluded.generation,
               registration = excluded.registration,
               issued_at = excluded.issued_at,
               issued_to = null,
               accepted_at = excluded.accepted_at,
               accepted_by = excluded.accepted_by,
               custom_properties = excluded.custom_properties,
               seal_key = null,
               sealed = null,
               delivery_until = null,
               deliveries = 0,
               claimed_by = null,
               claim_token = null,
               crypt_hash = null,
               reopened_at = null,
               first_used_at = null,
               disabled_at = null,
               expires_at = null,
               old_salt = null,
               old_hash = null,
               old_until = null
    ), gone as (
        -- it needs no asking any more
        delete from devcred.newdevice_request r
         using taken t
         where r.id = t.id
           and r.tenant = t.target
        returning r.*
    ), event as (
        insert into devcred.event
               (tenant, registration, device_id, operation, outcome, actor, source,
                status_before, request_id)
        select g.tenant, g.seq, g.id, 'newdevice_delete', 'ok'::devcred.outcome,
               p_actor, p_source, g.status, p_request
          from gone g
        union all
        select a.target, t.registration, a.id, 'credential_create', a.outcome,
               p_actor, p_source, null, p_request
          from answer a
          join taken t
            on t.target = a.target
           and t.id = a.id
    )
    select a.line, a.outcome, a.id, a.target
      from answer a
     where a.outcome <> 'ok'
     order by a.line;

    delete from devcred.bulk_row s
     where s.bulk = p_bulk
       and s.batch = p_batch;
end
$$;
comment on function devcred.credential_load(text, text, inet, bigint, int, text) is
    'Give the devices of a batch, which is used up, the passwords whose salts and hashes it holds.  A request that a device still
has is withdrawn.  A row for each line that did not make a new device: updated, limit_reached or no_tenant.';
