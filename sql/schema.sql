-- What this database holds.

comment on schema devcred is
    'devcred: device registrations, the credentials issued for them, and who decided what.';

create or replace function devcred.schema_version()
returns int
language sql stable security definer
set search_path = pg_catalog, pg_temp
as $$
    select coalesce(max(version), 0) from devcred.schema_migration
$$;
comment on function devcred.schema_version() is
    'Number of the newest migration applied; every worker asks when it connects.';
