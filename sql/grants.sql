-- Who may do what.  Everything is taken from everybody first, so that this
-- file alone says what is allowed.

revoke all on schema devcred from public;
revoke all on all tables in schema devcred from public, devcred_app, devcred_auditor, devcred_verifier;
revoke all on all sequences in schema devcred from public, devcred_app, devcred_auditor, devcred_verifier;
revoke all on all functions in schema devcred from public, devcred_app, devcred_auditor, devcred_verifier;

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
    devcred.newdevice_claims(text, text),
    devcred.credential_look(text[], text[], bytea[], bytea[]),
    devcred.credential_issue(text[], text[], text[], inet[], bytea[], bytea[], text[], text[], int[], bytea[], bytea[], text[], bytea[], text[], int, int, bool, text[]),
    devcred.credential_list(text, text, text, int, bigint, bool),
    devcred.credential_get(text, text, text),
    devcred.credential_rotate(text, text, inet, text, text, bytea, bytea, int, text),
    devcred.credential_disable(text, text, inet, text, text, bool),
    devcred.credential_expire(text, text, inet, text, text, timestamptz),
    devcred.credential_reopen(text, text, inet, text, text, int),
    devcred.credential_revoke(text, text, inet, text, text),
    devcred.credential_decommission(text, text, inet, text, text),
    devcred.credential_use(text, text, int, bool, inet, text),
    devcred.verify(text, text, inet),
    devcred.housekeep(int),
    devcred.seal_keys()
to devcred_app;
grant insert on devcred.bulk_row to devcred_app;

-- auditors read these views and nothing else
grant usage on schema devcred to devcred_auditor;
grant select on
    devcred.audit,
    devcred.registration,
    devcred.request,
    devcred.claim,
    devcred.credential,
    devcred.login,
    devcred.customer,
    devcred.schema_migration
to devcred_auditor;

-- readers that check logins of devices themselves
grant usage on schema devcred to devcred_verifier;
grant select on devcred.device_login to devcred_verifier;
grant execute on function devcred.verify(text, text, inet) to devcred_verifier;
