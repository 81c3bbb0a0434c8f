-- Who may do what.  Everything is taken from everybody first, so that this
-- file alone says what is allowed.

revoke all on schema devcred from public;
revoke all on all tables in schema devcred from public, devcred_app, devcred_auditor;
revoke all on all sequences in schema devcred from public, devcred_app, devcred_auditor;
revoke all on all functions in schema devcred from public, devcred_app, devcred_auditor;

-- the service executes these, reads no table, and writes one
grant usage on schema devcred to devcred_app;
grant execute on function
    devcred.schema_version(),
    devcred.tenant_get(text),
    devcred.user_login(text, text, text, text),
    devcred.newdevice_create(text, text, inet, text, text, text, text, jsonb),
    devcred.newdevice_get(text, text),
    devcred.newdevice_list(text, devcred.request_status, text, int, bigint, bool),
    devcred.newdevice_update(text, text, inet, text, devcred.request_status, text, bytea, int),
    devcred.newdevice_delete(text, text, inet, text),
    devcred.newdevice_accept_all(text, text, inet),
    devcred.newdevice_limit(text),
    devcred.bulk_begin(),
    devcred.newdevice_load(text, text, inet, bigint, int),
    devcred.credential_load(text, text, inet, bigint, int),
    devcred.credential_look(text[], text[], bytea[]),
    devcred.credential_issue(text[], text[], text[], inet[], bytea[], bytea[], bytea[])
to devcred_app;
grant insert on devcred.bulk_row to devcred_app;

-- auditors read these views and nothing else
grant usage on schema devcred to devcred_auditor;
grant select on
    devcred.audit,
    devcred.registration,
    devcred.request,
    devcred.credential,
    devcred.login,
    devcred.customer,
    devcred.schema_migration
to devcred_auditor;
