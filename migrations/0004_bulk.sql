-- Bulk registration: a table that the lines of a file are copied to before the
-- functions of sql/bulk.sql take them in.

create sequence devcred.bulk_number;
comment on sequence devcred.bulk_number is
    'Numbers of uploads, for bulk_row.bulk.';

-- Not logged: what a crash leaves nobody asks for again, and neither the
-- write-ahead log nor a standby gets the digests twice.
create unlogged table devcred.bulk_row (
    device_id text collate "C" not null,
    bulk bigint not null,
    batch int not null,
    line int not null,
    tenant text collate "C",
    type text,
    custom_properties jsonb not null,
    password_salt bytea,
    password_hash bytea,
    staged_at timestamptz not null default now()
);
create index bulk_row_batch
    on devcred.bulk_row (bulk, batch);
comment on index devcred.bulk_row_batch is
    'The lines that one call takes in.';
comment on table devcred.bulk_row is
    'Lines of files on their way in: copied here by the service, taken away again by newdevice_load() or credential_load().  The only table the service writes itself.';
comment on column devcred.bulk_row.device_id is
    'Device id.';
comment on column devcred.bulk_row.bulk is
    'Number of the upload.';
comment on column devcred.bulk_row.batch is
    'Part of the upload that is taken in by one call.';
comment on column devcred.bulk_row.line is
    'Line of the file the device stands in, from 1.';
comment on column devcred.bulk_row.tenant is
    'Tenant named in the line, or null; obeyed for the management tenant only.';
comment on column devcred.bulk_row.type is
    'Expected type of the device, or null.';
comment on column devcred.bulk_row.custom_properties is
    'The other columns of the line.';
comment on column devcred.bulk_row.password_salt is
    'Salt of the password in the line; null for a registration without one.';
comment on column devcred.bulk_row.password_hash is
    'SHA-256 of password and salt; null for a registration without one.';
comment on column devcred.bulk_row.staged_at is
    'When the line was copied; what stays for an hour was left behind by a process that died.';

alter type devcred.outcome add value 'updated';
comment on type devcred.outcome is
    'How an operation ended.  Expected results are values, never exceptions, so
that a refusal commits what it has to record.  ok: done; absent: no such request
for this tenant; exists: the id is taken; wrong_state: the request is in a state
that does not allow it; token_mismatch: the security token differs;
token_blocked: it differed once too often, the request is BLOCKED now;
no_tenant: the tenant named does not exist; limit_reached: the tenant has as
many devices as it may have; updated: the device had credentials, and has new
ones.';

alter table devcred.event
    drop constraint event_operation_is_known,
    add constraint event_operation_is_known
        check (operation in ('newdevice_create', 'newdevice_claim',
            'newdevice_accept', 'newdevice_block', 'newdevice_lift',
            'newdevice_delete', 'newdevice_refuse', 'credential_issue',
            'credential_create'));
comment on column devcred.event.operation is
    'What was decided: newdevice_create (registered), newdevice_claim (device asked for the first time), newdevice_accept,
newdevice_block, newdevice_lift (block lifted), newdevice_delete, newdevice_refuse (poll with another security token), credential_issue,
credential_create (an administrator gave the device its password).';
