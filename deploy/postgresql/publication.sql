-- What a reporting database may have of devcred: everything but secrets.  Run
-- in the database of devcred, as a superuser, by
--
--     psql -v ON_ERROR_STOP=1 -d DATABASE -f publication.sql
--
-- Left out by their columns: whatever a password or a security token could be
-- tried against (hashes, salts, digests) and what is sealed.  Left out whole:
-- claimant, whose key is such a digest, and bulk_row, which is not logged.
-- Columns that a later version adds are not published until they stand here
-- and in subscriber.sql; add them there first.
--
-- It may be run again, and has to be after a version that makes a table anew:
-- then have the subscriber "alter subscription devcred_report refresh
-- publication".

begin;

-- The login of the subscriber: it copies what was there before the
-- subscription began, so it needs to read these columns and all rows.
do $$
begin
    if not exists (select from pg_roles where rolname = 'devcred_replica') then
        create role devcred_replica login replication bypassrls;
    end if;
end
$$;
grant usage on schema devcred to devcred_replica;
grant select (id, domain_name, token_policy, created_at, device_limit)
    on devcred.tenant to devcred_replica;
grant select (tenant, name, roles, disabled_at, created_at, password_at)
    on devcred.tenant_user to devcred_replica;
grant select (id, tenant, seq, status, owner, created_at, group_id, type,
    custom_properties, claimed_at, claimed_from, last_seen_at, refused_at,
    token_failures, accepted_at, accepted_by)
    on devcred.newdevice_request to devcred_replica;
grant select (device_id, tenant, generation, registration, issued_at, issued_to,
    accepted_at, accepted_by, custom_properties, delivery_until, delivery_limit,
    deliveries, claimed_by, refused_at, reopened_at, first_used_at, failures,
    failed_at, disabled_at, expires_at, old_until)
    on devcred.device_credential to devcred_replica;
grant select (device_id, tenant, at, actor)
    on devcred.decommissioned to devcred_replica;
grant select (seq, at, tenant, registration, device_id, operation, outcome, actor,
    source, db_user, status_before, status_after, request_id)
    on devcred.event to devcred_replica;

-- The keys are among the columns: updates and deletes are told by them.  Rows
-- of partitions come as rows of the table they are part of.
drop publication if exists devcred_report;
create publication devcred_report for table
    devcred.tenant (id, domain_name, token_policy, created_at, device_limit),
    devcred.tenant_user (tenant, name, roles, disabled_at, created_at, password_at),
    devcred.newdevice_request (id, tenant, seq, status, owner, created_at, group_id,
        type, custom_properties, claimed_at, claimed_from, last_seen_at, refused_at,
        token_failures, accepted_at, accepted_by),
    devcred.device_credential (device_id, tenant, generation, registration,
        issued_at, issued_to, accepted_at, accepted_by, custom_properties,
        delivery_until, delivery_limit, deliveries, claimed_by, refused_at,
        reopened_at, first_used_at, failures, failed_at, disabled_at, expires_at,
        old_until),
    devcred.decommissioned (device_id, tenant, at, actor),
    devcred.event (seq, at, tenant, registration, device_id, operation, outcome,
        actor, source, db_user, status_before, status_after, request_id)
    with (publish = 'insert, update, delete', publish_via_partition_root = true);

commit;
