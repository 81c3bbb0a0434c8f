-- The door for SQL: rules.  See door.sql.

create or replace function devcred.rule_tenant(p_tenant text)
returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
    select case when d.scope = 'management' then coalesce(p_tenant, d.scope) else d.scope end
      from (select devcred.door_scope(null, p_tenant)) d (scope)
$$;
comment on function devcred.rule_tenant(text) is
    'The tenant whose rules whoever asks means: the one named, the only one granted, or "management".';

create or replace function devcred.rule_set(
    p_name text,
    p_id_pattern text,
    p_tenant text default null,
    p_source cidr default null,
    p_type text default null,
    p_needs_token bool default false,
    p_valid_from timestamptz default null,
    p_valid_until timestamptz default null,
    p_quota int default null)
returns devcred.outcome
language sql security definer
set search_path = pg_catalog, pg_temp
as $$
    select devcred.accept_rule_set(devcred.rule_tenant(p_tenant), devcred.door_actor(), p_name, p_id_pattern,
           p_source, p_type, p_needs_token, p_valid_from, p_valid_until, p_quota)
$$;
comment on function devcred.rule_set(text, text, text, cidr, text, bool, timestamptz, timestamptz, int) is
    'Have devices accepted whose ids are like p_id_pattern (* and ?), see accept_rule.  ok, updated or no_tenant.';

create or replace function devcred.rule_enable(p_name text, p_enabled bool default true, p_tenant text default null)
returns devcred.outcome
language sql security definer
set search_path = pg_catalog, pg_temp
as $$
    select devcred.accept_rule_enable(devcred.rule_tenant(p_tenant), devcred.door_actor(), p_name, p_enabled)
$$;
comment on function devcred.rule_enable(text, bool, text) is
    'Have a rule accept, or not (false).  ok or absent.';

create or replace function devcred.rule_delete(p_name text, p_tenant text default null)
returns devcred.outcome
language sql security definer
set search_path = pg_catalog, pg_temp
as $$
    select devcred.accept_rule_delete(devcred.rule_tenant(p_tenant), devcred.door_actor(), p_name)
$$;
comment on function devcred.rule_delete(text, text) is
    'Take a rule away.  ok or absent.';

create or replace function devcred.rule_try(p_name text, p_tenant text default null)
returns table (
    id text,
    status devcred.request_status,
    type text,
    claimed_from inet,
    has_token bool,
    lacks text)
language sql stable security definer
set search_path = pg_catalog, pg_temp
as $$
    select t.*
      from devcred.accept_rule_try(devcred.rule_tenant(p_tenant), p_name) t
$$;
comment on function devcred.rule_try(text, text) is
    'What a rule would accept now, and what others of fitting ids lack; nothing is done.';

create or replace function devcred.rule_apply(p_name text, p_tenant text default null)
returns table (outcome devcred.outcome, id text)
language sql security definer
set search_path = pg_catalog, pg_temp
as $$
    select a.*
      from devcred.accept_rule_apply(devcred.rule_tenant(p_tenant), devcred.door_actor(), p_name) a
$$;
comment on function devcred.rule_apply(text, text) is
    'Accept what is pending already and fits a rule; a row for each.';
