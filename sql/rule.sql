-- Rules that accept without an administrator.

create or replace function devcred.rule_like(p_pattern text)
returns text
language sql immutable
return pg_catalog.translate(pg_catalog.regexp_replace(p_pattern, '([\\%_])', '\\\1', 'g'), '*?', '%_');
comment on function devcred.rule_like(text) is
    'A pattern of a rule as one for "like": * is %, ? is _, and what those mean there is meant as it is written.';

create or replace function devcred.rule_lacks(u devcred.accept_rule, r devcred.newdevice_request)
returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
    select case
           when not r.id like devcred.rule_like(u.id_pattern) then 'id'
           when u.type <> coalesce(r.type, '') then 'type'
           when not u.enabled then 'disabled'
           when u.valid_from > now() or u.valid_until <= now() then 'time'
           when u.used >= u.quota then 'quota'
           when exists (select
                          from devcred.decommissioned d
                         where d.device_id = r.id
                           and d.tenant = r.tenant) then 'decommissioned'
           when r.claimed_at is not null and u.needs_token <> r.has_token then 'token'
           when r.claimed_at is not null and u.source is not null
                   and not coalesce(r.claimed_from <<= u.source, false) then 'source'
           end
$$;
comment on function devcred.rule_lacks(devcred.accept_rule, devcred.newdevice_request) is
    'Why a rule does not fit a request, in one word: id, type, disabled, time, quota, decommissioned, token or source; null if it fits.  Of one that nobody has
asked for, token and source are not known.';

create or replace function devcred.rule_accept(p_id text[], p_request text[])
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    r devcred.newdevice_request;
    v_rule text;
    v_held text[];
begin
    -- one order for everybody: requests, which the caller has locked, rules, tenants;
    -- only rules that fit somebody, so that others do not wait
    select array_agg(h.tenant || '/' || h.name)
      into v_held
      from (select u.tenant,
                   u.name
              from devcred.accept_rule u
             where exists (select
                             from devcred.newdevice_request n
                            where n.id = any (p_id)
                              and n.tenant = u.tenant
                              and n.status = 'PENDING_ACCEPTANCE'
                              and devcred.rule_lacks(u, n) is null)
             order by u.tenant, u.name
               for no key update) h;
    if v_held is null then
        return;
    end if;
    for r in select n.*
               from devcred.newdevice_request n
              where n.id = any (p_id)
                and n.status = 'PENDING_ACCEPTANCE'
              order by n.id loop
        select u.name
          into v_rule
          from devcred.accept_rule u
         where u.tenant = r.tenant
           and u.tenant || '/' || u.name = any (v_held)
           and devcred.rule_lacks(u, r) is null
         order by u.name
         limit 1;
        continue when not found;
        update devcred.accept_rule u
           set used = u.used + 1
         where u.tenant = r.tenant
           and u.name = v_rule
           and exists (select
                         from devcred.newdevice_update(r.tenant, 'rule:' || v_rule, r.claimed_from, r.id,
                              'ACCEPTED', null, r.token_hash,
                              p_request => p_request[array_position(p_id, r.id)]) o
                        where o.outcome = 'ok');
    end loop;
end
$$;
comment on function devcred.rule_accept(text[], text[]) is
    'Accept those of these requests, just asked for by their devices, that a rule of their tenant fits: the first by name.';

create or replace function devcred.rule_note(
    p_tenant text,
    p_name text,
    p_before devcred.accept_rule,
    p_after devcred.accept_rule,
    p_actor text)
returns void
language sql
set search_path = pg_catalog, pg_temp
as $$
    insert into devcred.setting_event (tenant, setting, value_before, value_after, actor)
    select p_tenant, 'rule:' || p_name, v.before, v.after, p_actor
      from (select case when p_before.name is not null then (jsonb_strip_nulls(to_jsonb(p_before)) - u.not_set)::text end,
                   case when p_after.name is not null then (jsonb_strip_nulls(to_jsonb(p_after)) - u.not_set)::text end
              from (select array['tenant', 'name', 'used', 'created_at', 'created_by']) u (not_set)) v (before, after)
     where v.before is distinct from v.after
$$;
comment on function devcred.rule_note(text, text, devcred.accept_rule, devcred.accept_rule, text) is
    'Record how a rule was changed.';

create or replace function devcred.accept_rule_set(
    p_tenant text,
    p_actor text,
    p_name text,
    p_id_pattern text,
    p_source cidr,
    p_type text,
    p_needs_token bool,
    p_valid_from timestamptz,
    p_valid_until timestamptz,
    p_quota int)
returns devcred.outcome
language plpgsql
set search_path = pg_catalog, pg_temp
set lock_timeout = '2s'
as $$
declare
    v_before devcred.accept_rule;
    v_after devcred.accept_rule;
begin
    if not exists (select from devcred.tenant t where t.id = p_tenant) then
        return 'no_tenant';
    end if;
    select u.*
      into v_before
      from devcred.accept_rule u
     where u.tenant = p_tenant
       and u.name = p_name
       for update;
    insert into devcred.accept_rule as u
           (tenant, name, id_pattern, source, type, needs_token, valid_from, valid_until, quota, created_by)
    values (p_tenant, p_name, p_id_pattern, p_source, p_type, coalesce(p_needs_token, false), p_valid_from,
           p_valid_until, p_quota, p_actor)
    on conflict (tenant, name) do update
       set enabled = true,
           id_pattern = excluded.id_pattern,
           source = excluded.source,
           type = excluded.type,
           needs_token = excluded.needs_token,
           valid_from = excluded.valid_from,
           valid_until = excluded.valid_until,
           quota = excluded.quota,
           used = 0,
           created_at = excluded.created_at,
           created_by = excluded.created_by
    returning u.* into v_after;
    perform devcred.rule_note(p_tenant, p_name, v_before, v_after, p_actor);
    return case when v_before.name is null then 'ok' else 'updated' end;
end
$$;
comment on function devcred.accept_rule_set(text, text, text, text, cidr, text, bool, timestamptz, timestamptz, int) is
    'Make a rule, or another one of a name that there is, which counts from the start.  ok, updated or no_tenant.';

create or replace function devcred.accept_rule_enable(p_tenant text, p_actor text, p_name text, p_enabled bool)
returns devcred.outcome
language plpgsql
set search_path = pg_catalog, pg_temp
set lock_timeout = '2s'
as $$
declare
    v_before devcred.accept_rule;
    v_after devcred.accept_rule;
begin
    select u.*
      into v_before
      from devcred.accept_rule u
     where u.tenant = p_tenant
       and u.name = p_name
       for update;
    if not found then
        return 'absent';
    end if;
    update devcred.accept_rule u
       set enabled = p_enabled
     where u.tenant = p_tenant
       and u.name = p_name
    returning u.* into v_after;
    perform devcred.rule_note(p_tenant, p_name, v_before, v_after, p_actor);
    return 'ok';
end
$$;
comment on function devcred.accept_rule_enable(text, text, text, bool) is
    'Have a rule accept, or not.  ok or absent.';

create or replace function devcred.accept_rule_delete(p_tenant text, p_actor text, p_name text)
returns devcred.outcome
language plpgsql
set search_path = pg_catalog, pg_temp
set lock_timeout = '2s'
as $$
declare
    v_before devcred.accept_rule;
begin
    delete from devcred.accept_rule u
     where u.tenant = p_tenant
       and u.name = p_name
    returning u.* into v_before;
    if not found then
        return 'absent';
    end if;
    perform devcred.rule_note(p_tenant, p_name, v_before, null, p_actor);
    return 'ok';
end
$$;
comment on function devcred.accept_rule_delete(text, text, text) is
    'Take a rule away.  ok or absent.';

create or replace function devcred.accept_rule_try(p_tenant text, p_name text)
returns table (
    id text,
    status devcred.request_status,
    type text,
    claimed_from inet,
    has_token bool,
    lacks text)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
    return query
    select r.id, r.status, r.type, r.claimed_from, r.has_token, devcred.rule_lacks(u, r)
      from devcred.accept_rule u
      join devcred.newdevice_request r
        on r.tenant = u.tenant
     where u.tenant = p_tenant
       and u.name = p_name
       and r.status in ('WAITING_FOR_CONNECTION', 'PENDING_ACCEPTANCE')
       and r.id like devcred.rule_like(u.id_pattern)
     order by devcred.rule_lacks(u, r) is not null, r.seq
     limit 1000;
end
$$;
comment on function devcred.accept_rule_try(text, text) is
    'What a rule would do, without doing it: requests whose ids fit, 1,000 at most, first those it accepts (lacks is null; of one that waits for its
device: should that come from the right place, with a token or without), then the others with what they lack, see rule_lacks().';

create or replace function devcred.accept_rule_apply(p_tenant text, p_actor text, p_name text)
returns table (outcome devcred.outcome, id text)
language plpgsql
set search_path = pg_catalog, pg_temp
set lock_timeout = '2s'
as $$
#variable_conflict use_column
declare
    v_ids text[];
    r devcred.newdevice_request;
    v_outcome devcred.outcome;
begin
    -- one order for everybody: requests, the rule, tenants
    select array_agg(n.id)
      into v_ids
      from (select q.id
              from devcred.newdevice_request q
              join devcred.accept_rule u
                on u.tenant = q.tenant
               and u.name = p_name
             where q.tenant = p_tenant
               and q.status = 'PENDING_ACCEPTANCE'
               and q.id like devcred.rule_like(u.id_pattern)
             order by q.id
             limit 2000
               for update of q skip locked) n;
    perform
       from devcred.accept_rule u
      where u.tenant = p_tenant
        and u.name = p_name
        for no key update;
    for r in select n.*
               from devcred.newdevice_request n
              where n.id = any (v_ids)
              order by n.id loop
        continue when not exists (select
                                    from devcred.accept_rule u
                                   where u.tenant = p_tenant
                                     and u.name = p_name
                                     and devcred.rule_lacks(u, r) is null);
        select u.outcome
          into v_outcome
          from devcred.newdevice_update(p_tenant, p_actor, null, r.id, 'ACCEPTED', null, r.token_hash) u;
        if v_outcome = 'ok' then
            update devcred.accept_rule u
               set used = u.used + 1
             where u.tenant = p_tenant
               and u.name = p_name;
        end if;
        outcome := v_outcome;
        id := r.id;
        return next;
    end loop;
end
$$;
comment on function devcred.accept_rule_apply(text, text, text) is
    'Accept what is pending already and fits a rule, at most 2,000 requests at a time, in the name of p_actor; a row for each.';
