-- Many rows at once: COPY puts them into the table page by page, unless a
-- default may look at the table (as far as PostgreSQL knows: one that is
-- volatile) or a trigger is called before each.

alter table devcred.newdevice_request
    alter column created_at set default statement_timestamp();

drop trigger newdevice_request_insert on devcred.newdevice_request;
create trigger newdevice_request_insert
    after insert on devcred.newdevice_request
    for each row
    when (new.status <> 'WAITING_FOR_CONNECTION')
    execute function devcred.newdevice_request_follows_the_state_machine();
comment on trigger newdevice_request_insert on devcred.newdevice_request is
    'Requests start as WAITING_FOR_CONNECTION.';
comment on column devcred.newdevice_request.created_at is
    'When the request was created: when the statement that did it began.';
