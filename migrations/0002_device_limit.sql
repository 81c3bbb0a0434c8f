-- How many devices a tenant may have.

alter table devcred.tenant
    add column device_limit int,
    add constraint tenant_device_limit_is_a_count
        check (device_limit >= 0);
comment on column devcred.tenant.device_limit is
    'Devices the tenant may have; null for no limit.  A device that has credentials can always be registered again.';

alter type devcred.outcome add value 'limit_reached';
comment on type devcred.outcome is
    'How an operation ended.  Expected results are values, never exceptions, so
that a refusal commits what it has to record.  ok: done; absent: no such request
for this tenant; exists: the id is taken; wrong_state: the request is in a state
that does not allow it; token_mismatch: the security token differs;
token_blocked: it differed once too often, the request is BLOCKED now;
no_tenant: the tenant named does not exist; limit_reached: the tenant has as
many devices as it may have.';
