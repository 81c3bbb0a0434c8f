-- One id for the web server's log, the service's log and the audit.

-- The check runs with every event: with a bound in the expression, {1,64}, it
-- would take as long as the rest of the insert twice over.
alter table devcred.event
    add column request_id text,
    add constraint event_request_id_is_one
        check (length(request_id) between 1 and 64
            and request_id !~ '[^A-Za-z0-9._:@-]');
comment on column devcred.event.request_id is
    'Id of the HTTP request that did it, as in the X-Request-Id of its answer and in the logs; null: not done through the service.';

-- These take one more argument, which has a default: together with what they
-- were, a call without it would be ambiguous.  sql/ makes them anew.
drop function if exists devcred.newdevice_create(text, text, inet, text, text, text, text, jsonb);
drop function if exists devcred.newdevice_update(text, text, inet, text, devcred.request_status, text, bytea, int);
drop function if exists devcred.newdevice_accept_all(text, text, inet);
drop function if exists devcred.newdevice_delete(text, text, inet, text);
drop function if exists devcred.newdevice_load(text, text, inet, bigint, int);
drop function if exists devcred.credential_load(text, text, inet, bigint, int);
drop function if exists devcred.credential_issue(text[], text[], text[], inet[], bytea[], bytea[], text[], text[], int[], bytea[], bytea[], text[], bytea[], text[], int, int, bool, text[]);
drop function if exists devcred.credential_deliver(bigint[], text[], text[], text[], inet[], bytea[], text[], int[], bytea[], bytea[], text[], bytea[], text[], int, int, bool, text[]);
drop function if exists devcred.credential_note(text, devcred.outcome, text, inet, devcred.device_credential);
drop function if exists devcred.credential_rotate(text, text, inet, text, text, bytea, bytea, int, text);
drop function if exists devcred.credential_disable(text, text, inet, text, text, bool);
drop function if exists devcred.credential_expire(text, text, inet, text, text, timestamptz);
drop function if exists devcred.credential_reopen(text, text, inet, text, text, int);
drop function if exists devcred.credential_revoke(text, text, inet, text, text);
drop function if exists devcred.credential_decommission(text, text, inet, text, text);
drop function if exists devcred.credential_use(text, text, int, bool, inet, text);
