-- Who sees which rows.  The service's functions run as the owner, who sees all
-- of them, and pick the tenant themselves; the policies here are for people who
-- read the views with a login of their own.

create or replace function devcred.acting_role()
returns name
language sql stable
return coalesce(nullif(pg_catalog.current_setting('role'), 'none'), session_user)::name;
comment on function devcred.acting_role() is
    'The role a session acts as: what it was last set to by "set role", else its login.  Unlike current_user also within functions of others.';

create or replace function devcred.reach(p_change bool default false)
returns text[]
language sql stable security definer
set search_path = pg_catalog, pg_temp
as $$
    select coalesce(array_agg(l.tenant order by l.tenant), '{}')
      from devcred.tenant_login l
      join pg_roles r
        on r.rolname = l.login
     where pg_has_role(devcred.acting_role(), r.oid, 'usage')
       and not (p_change and l.read_only)
$$;
comment on function devcred.reach(bool) is
    'Tenants that were granted to the role that asks (devcredctl tenant grant-login); p_change: only those in which it may change something.';

-- Of each table with a tenant: auditors and administrators see all of it, the
-- logins of tenants what is theirs.  The question for the tenants is asked once
-- a statement, and an index on tenant can be used.
do $$
declare
    r record;
begin
    for r in values ('tenant', 'id'), ('tenant_user', 'tenant'), ('tenant_login', 'tenant'),
            ('newdevice_request', 'tenant'), ('claimant', 'tenant'),
            ('device_credential', 'tenant'), ('decommissioned', 'tenant'), ('event', 'tenant'),
            ('setting_event', 'tenant'), ('accept_rule', 'tenant'), ('outbox', 'tenant') loop
        execute pg_catalog.format('alter table devcred.%I enable row level security', r.column1);
        execute pg_catalog.format('drop policy if exists everything on devcred.%I', r.column1);
        execute pg_catalog.format('create policy everything on devcred.%I for select
            to devcred_auditor, devcred_registrar using (true)', r.column1);
        execute pg_catalog.format('drop policy if exists reach on devcred.%I', r.column1);
        execute pg_catalog.format('create policy reach on devcred.%I for select
            to devcred_tenant using (%I = any ((select devcred.reach())::text[]))',
            r.column1, r.column2);
    end loop;
end
$$;

-- Granting --------------------------------------------------------------------

create or replace function devcred.login_grant(p_tenant text, p_login name, p_read_only bool)
returns devcred.outcome
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    if not exists (select from devcred.tenant t where t.id = p_tenant) then
        return 'no_tenant';
    end if;
    if not exists (select from pg_roles r where r.rolname = p_login) then
        return 'absent';
    end if;
    insert into devcred.tenant_login as l (login, tenant, read_only)
    values (p_login, p_tenant, p_read_only)
    on conflict (login, tenant) do update
       set read_only = excluded.read_only,
           granted_at = excluded.granted_at,
           granted_by = excluded.granted_by;
    -- names of roles cannot be parameters
    execute format('grant devcred_tenant to %I', p_login);
    return 'ok';
end
$$;
comment on function devcred.login_grant(text, name, bool) is
    'Let a role of the database see what a tenant has and change it (p_read_only: see only).  ok, no_tenant, or absent: there is no such role.';

create or replace function devcred.login_revoke(p_tenant text, p_login name)
returns devcred.outcome
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    delete from devcred.tenant_login l
     where l.login = p_login
       and l.tenant = p_tenant;
    if not found then
        return 'absent';
    end if;
    -- still a member of devcred_tenant, which may be for another database of
    -- this server, and means nothing without a tenant
    return 'ok';
end
$$;
comment on function devcred.login_revoke(text, name) is
    'Take that back, at once.  ok, or absent: it was not granted.';
