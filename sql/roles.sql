-- Roles belong to the whole cluster.  "devcredctl migrate" runs this file when
-- one of them is missing; a DBA who does not let it can run it by hand.
-- None can log in: grant them to the logins of your choice.

do $$
declare
    role_name text;
begin
    foreach role_name in array array['devcred_owner', 'devcred_app', 'devcred_auditor',
            'devcred_verifier', 'devcred_registrar', 'devcred_tenant'] loop
        if not exists (select from pg_catalog.pg_roles where rolname = role_name) then
            execute pg_catalog.format('create role %I nologin', role_name);
        end if;
    end loop;
end
$$;
comment on role devcred_owner is 'devcred: owns the schema; only migrations act as this role';
comment on role devcred_app is 'devcred: the service; may execute its functions and nothing else';
comment on role devcred_auditor is 'devcred: reads the audit views; sees no secret and changes nothing';
comment on role devcred_verifier is 'devcred: checks logins of devices, by verify() or the view device_login; sees nothing else';
comment on role devcred_registrar is 'devcred: administers registrations and credentials of all tenants in SQL; sees no secret';
comment on role devcred_tenant is 'devcred: does so for the tenants that were granted to it (devcredctl tenant grant-login)';
-- so that devcredctl can grant it
grant devcred_tenant to devcred_owner with admin option;
