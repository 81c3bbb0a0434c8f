-- Tenants and the logins of their users.

create or replace function devcred.tenant_get(p_tenant text)
returns table (domain_name text, token_policy devcred.token_policy)
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    select t.domain_name,
           t.token_policy
      from devcred.tenant t
     where t.id = p_tenant;
end
$$;
comment on function devcred.tenant_get(text) is
    'A tenant''s host name and security token policy; no row if there is no such tenant.';

create or replace function devcred.user_login(
    p_tenant text,
    p_host text,
    p_default text,
    p_name text)
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
    has_crypt bool)
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    p_tenant := devcred.login_tenant(p_tenant, p_host, p_default);
    if p_name like 'device\_%' then
        return query
        select c.tenant,
               'ROLE_DEVICE',
               null::text,
               c.password_salt,
               c.password_hash,
               case when c.old_until > now() then c.old_salt end,
               case when c.old_until > now() then c.old_hash end,
               c.generation,
               c.first_used_at is not null
               and c.sealed is null
               and c.old_hash is null
               and c.reopened_at is null,
               c.crypt_hash is not null
          from devcred.device_credential c
         where c.tenant = p_tenant
           and c.device_id = substr(p_name, 8)
           and c.disabled_at is null
           and (c.expires_at is null or c.expires_at > now());
    else
        return query
        select u.tenant,
               array_to_string(u.roles, ' '),
               u.password_hash,
               null::bytea,
               null::bytea,
               null::bytea,
               null::bytea,
               null::int,
               null::bool,
               null::bool
          from devcred.tenant_user u
         where u.tenant = p_tenant
           and u.name = p_name
           and u.disabled_at is null;
    end if;
end
$$;
comment on function devcred.user_login(text, text, text, text) is
    'What is needed to check a login, person or device; no row if nobody can log in by that name.
p_tenant: the tenant named in the login; if null, the tenant whose host name p_host is, else p_default.
The service compares: a slow hash does not belong into the database.  old_salt and old_hash: a password that still works beside the new one.
noted: credential_use() has nothing to record of a login with the new one; has_crypt: nor to keep.';

create or replace function devcred.tenant_add(p_tenant text, p_domain_name text)
returns devcred.outcome
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    insert into devcred.tenant (id, domain_name)
    values (p_tenant, lower(p_domain_name))
    on conflict do nothing;
    if not found then
        return 'exists';
    end if;
    return 'ok';
end
$$;
comment on function devcred.tenant_add(text, text) is
    'Add a tenant, with the host name its requests arrive under or null; "exists" if either is taken.';

create or replace function devcred.tenant_set(
    p_tenant text,
    p_actor text,
    p_source inet,
    p_domain_name text,
    p_token_policy devcred.token_policy,
    p_device_limit text,
    p_request text default null,
    p_waiting_expiry text default null,
    p_pending_expiry text default null,
    p_request_quota text default null,
    p_outbox bool default null)
returns devcred.outcome
language plpgsql
set search_path = pg_catalog, pg_temp
set lock_timeout = '2s'
as $$
declare
    v_before devcred.tenant;
    v_after devcred.tenant;
begin
    -- lock first, check second
    select t.*
      into v_before
      from devcred.tenant t
     where t.id = p_tenant
       for no key update;
    if not found then
        return 'no_tenant';
    end if;
    update devcred.tenant t
       set domain_name = case when p_domain_name is null then t.domain_name
               else lower(nullif(p_domain_name, '')) end,
           token_policy = coalesce(p_token_policy, t.token_policy),
           device_limit = case when p_device_limit is null then t.device_limit
               else nullif(p_device_limit, 'none')::int end,
           waiting_expiry = case when p_waiting_expiry is null then t.waiting_expiry
               else nullif(p_waiting_expiry, 'none')::interval end,
           pending_expiry = case when p_pending_expiry is null then t.pending_expiry
               else nullif(p_pending_expiry, 'none')::interval end,
           request_quota = case when p_request_quota is null then t.request_quota
               else nullif(p_request_quota, 'none')::int end,
           outbox = coalesce(p_outbox, t.outbox)
     where t.id = p_tenant
    returning t.* into v_after;
    insert into devcred.setting_event
           (tenant, setting, value_before, value_after, actor, source, request_id)
    select p_tenant, c.setting, c.before, c.after, p_actor, p_source, p_request
      from (values
           ('domain_name', v_before.domain_name, v_after.domain_name),
           ('token_policy', v_before.token_policy::text, v_after.token_policy::text),
           ('device_limit', v_before.device_limit::text, v_after.device_limit::text),
           ('waiting_expiry', v_before.waiting_expiry::text, v_after.waiting_expiry::text),
           ('pending_expiry', v_before.pending_expiry::text, v_after.pending_expiry::text),
           ('request_quota', v_before.request_quota::text, v_after.request_quota::text),
           ('outbox', v_before.outbox::text, v_after.outbox::text)) c (setting, before, after)
     where c.before is distinct from c.after;
    return 'ok';
end
$$;
comment on function devcred.tenant_set(text, text, inet, text, devcred.token_policy, text, text, text, text, text, bool) is
    'Change settings of a tenant, each recorded; null leaves one as it is, an empty host name and the word "none" take one away.  ok or no_tenant.';

create or replace function devcred.tenant_option_set(
    p_scope text,
    p_actor text,
    p_source inet,
    p_token_policy devcred.token_policy,
    p_request text default null)
returns table (domain_name text, token_policy devcred.token_policy)
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform devcred.tenant_set(p_scope, p_actor, p_source, null, p_token_policy, null, p_request);
    return query
    select g.*
      from devcred.tenant_get(p_scope) g;
end
$$;
comment on function devcred.tenant_option_set(text, text, inet, devcred.token_policy, text) is
    'Set a tenant''s own security token policy, as its administrators may; what it is then, as tenant_get() tells.';

create or replace function devcred.user_add(
    p_tenant text,
    p_name text,
    p_password_hash text,
    p_roles text[])
returns devcred.outcome
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    if not exists (select from devcred.tenant t where t.id = p_tenant) then
        return 'no_tenant';
    end if;
    insert into devcred.tenant_user (tenant, name, password_hash, roles)
    values (p_tenant, p_name, p_password_hash, p_roles)
    on conflict do nothing;
    if not found then
        return 'exists';
    end if;
    return 'ok';
end
$$;
comment on function devcred.user_add(text, text, text, text[]) is
    'Add a user with a crypt(3) hash of its password and its roles.';

create or replace function devcred.user_passwd(
    p_tenant text,
    p_name text,
    p_password_hash text)
returns devcred.outcome
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    update devcred.tenant_user u
       set password_hash = p_password_hash,
           password_at = clock_timestamp()
     where u.tenant = p_tenant
       and u.name = p_name;
    if not found then
        return 'absent';
    end if;
    return 'ok';
end
$$;
comment on function devcred.user_passwd(text, text, text) is
    'Replace a user''s password by another crypt(3) hash.';

create or replace function devcred.user_disable(
    p_tenant text,
    p_name text,
    p_disabled bool)
returns devcred.outcome
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    update devcred.tenant_user u
       set disabled_at = case when p_disabled then
               coalesce(u.disabled_at, clock_timestamp()) end
     where u.tenant = p_tenant
       and u.name = p_name;
    if not found then
        return 'absent';
    end if;
    return 'ok';
end
$$;
comment on function devcred.user_disable(text, text, bool) is
    'Refuse a user''s logins from now on (true) or allow them again (false); workers forget a bootstrap user within login_cache seconds.';
