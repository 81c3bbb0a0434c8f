-- Who may do what.  Everything is taken from everybody first, so that this
-- file alone says what is allowed.

revoke all on schema devcred from public;
revoke all on all tables in schema devcred
    from public, devcred_app, devcred_auditor, devcred_verifier, devcred_registrar, devcred_tenant;
revoke all on all sequences in schema devcred
    from public, devcred_app, devcred_auditor, devcred_verifier, devcred_registrar, devcred_tenant;
revoke all on all functions in schema devcred
    from public, devcred_app, devcred_auditor, devcred_verifier, devcred_registrar, devcred_tenant;

-- the service executes these, reads no table but through a view for functions
-- that are inlined, and writes one
grant usage on schema devcred to devcred_app;
grant execute on function
    devcred.schema_version(),
    devcred.tenant_get(text),
    devcred.tenant_option_set(text, text, inet, devcred.token_policy, text),
    devcred.user_login(text, text, text, text),
    devcred.login_ask(text, text, text, text, inet),
    devcred.login_note(text, text, inet, bool),
    devcred.newdevice_create(text, text, inet, text, text, text, text, jsonb, text),
    devcred.newdevice_get(text, text),
    devcred.newdevice_list(text, devcred.request_status, text, int, bigint, bool, bigint, bigint, bigint),
    devcred.newdevice_page(text, devcred.request_status, text, int, bigint, bigint, bigint),
    devcred.newdevice_reached(text, devcred.request_status, text),
    devcred.newdevice_update(text, text, inet, text, devcred.request_status, text, bytea, int, text),
    devcred.newdevice_delete(text, text, inet, text, text),
    devcred.newdevice_accept_all(text, text, inet, text),
    devcred.newdevice_limit(text),
    devcred.bulk_begin(),
    devcred.newdevice_load(text, text, inet, bigint, int, text),
    devcred.credential_load(text, text, inet, bigint, int, text),
    devcred.newdevice_claims(text, text),
    devcred.event_list(text, text, bigint, int),
    devcred.event_count(text, int),
    devcred.credential_look(text[], text[], bytea[], bytea[], inet[]),
    devcred.credential_issue(text[], text[], text[], inet[], bytea[], bytea[], text[], text[], int[], bytea[], bytea[], text[], bytea[], text[], int, int, bool, text[], text[]),
    devcred.credential_list(text, text, text, int, bigint, bool, bigint, bigint, bigint),
    devcred.credential_get(text, text, text),
    devcred.credential_rotate(text, text, inet, text, text, bytea, bytea, int, text, text),
    devcred.credential_disable(text, text, inet, text, text, bool, text),
    devcred.credential_expire(text, text, inet, text, text, timestamptz, text),
    devcred.credential_reopen(text, text, inet, text, text, int, text),
    devcred.credential_revoke(text, text, inet, text, text, text),
    devcred.credential_decommission(text, text, inet, text, text, text),
    devcred.credential_use(text, text, int, bool, inet, text, text),
    devcred.verify(text, text, inet),
    devcred.housekeep(int),
    devcred.seal_keys(),
    devcred.request_totals()
to devcred_app;
grant select on devcred.newdevice_row to devcred_app;
grant insert on devcred.bulk_row to devcred_app;

-- people read these views, and of the tables behind them what is no secret;
-- which rows, reach.sql says
grant usage on schema devcred to devcred_auditor, devcred_registrar, devcred_tenant;
grant select on
    devcred.audit,
    devcred.registration,
    devcred.request,
    devcred.claim,
    devcred.credential,
    devcred.login,
    devcred.customer,
    devcred.retired,
    devcred.setting,
    devcred.rule,
    devcred.setting_event,
    devcred.accept_rule,
    devcred.outbox,
    devcred.event,
    devcred.tenant,
    devcred.tenant_login,
    devcred.decommissioned
to devcred_auditor, devcred_registrar, devcred_tenant;
grant select (tenant, name, roles, disabled_at, created_at, password_at)
    on devcred.tenant_user to devcred_auditor, devcred_registrar, devcred_tenant;
grant select (id, tenant, seq, status, owner, created_at, group_id, type, custom_properties,
        claimed_at, claimed_from, last_seen_at, has_token, token_failures, accepted_at,
        accepted_by, claimant_count)
    on devcred.newdevice_request to devcred_auditor, devcred_registrar, devcred_tenant;
grant select (registration, device_id, tenant, actor, source, agent, has_token, claimed_at)
    on devcred.claimant to devcred_auditor, devcred_registrar, devcred_tenant;
grant select (tenant, device_id, username, generation, registration, issued_at, issued_to,
        accepted_at, accepted_by, first_used_at, failures, failed_at, disabled_at,
        expires_at, deliveries, seal_key, delivery_until, old_until)
    on devcred.device_credential to devcred_auditor, devcred_registrar, devcred_tenant;
grant select on devcred.schema_migration to devcred_auditor, devcred_registrar;
grant execute on function devcred.reach(bool) to devcred_tenant;

-- administrators of all tenants, and of some, do through these what the service
-- does for theirs
grant insert, update, delete on devcred.request to devcred_registrar, devcred_tenant;
grant update, delete on devcred.credential to devcred_registrar, devcred_tenant;
grant update on devcred.customer to devcred_registrar, devcred_tenant;
grant execute on function
    devcred.request_create(text, text, text, text, jsonb),
    devcred.request_accept(text, text),
    devcred.request_accept_all(text),
    devcred.request_block(text),
    devcred.request_lift(text, bool),
    devcred.request_delete(text),
    devcred.request_load(text[], text, text),
    devcred.credential_rotate(text, text, int),
    devcred.credential_disable(text, text),
    devcred.credential_enable(text, text),
    devcred.credential_expire(text, timestamptz, text),
    devcred.credential_reopen(text, text, int),
    devcred.credential_revoke(text, text),
    devcred.credential_decommission(text, text),
    devcred.credential_load(text[], text[], text),
    devcred.rule_set(text, text, text, cidr, text, bool, timestamptz, timestamptz, int),
    devcred.rule_enable(text, bool, text),
    devcred.rule_delete(text, text),
    devcred.rule_try(text, text),
    devcred.rule_apply(text, text),
    devcred.outbox_take(int, text)
to devcred_registrar, devcred_tenant;

-- readers that check logins of devices themselves
grant usage on schema devcred to devcred_verifier;
grant select on devcred.device_login to devcred_verifier;
grant execute on function devcred.verify(text, text, inet) to devcred_verifier;
