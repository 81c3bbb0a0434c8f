-- What a device's login tells, and whether it is good.

create or replace function devcred.credential_use(
    p_tenant text,
    p_id text,
    p_generation int,
    p_good bool,
    p_source inet,
    p_crypt_hash text default null,
    p_request text default null)
returns table (outcome devcred.outcome)
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set lock_timeout = '2s'
as $$
declare
    c devcred.device_credential;
begin
    if p_good then
        update devcred.device_credential d
           set first_used_at = coalesce(d.first_used_at, clock_timestamp()),
               seal_key = null,
               sealed = null,
               reopened_at = null,
               old_salt = null,
               old_hash = null,
               old_until = null,
               crypt_hash = coalesce(d.crypt_hash, p_crypt_hash)
         where d.device_id = p_id
           and d.tenant = p_tenant
           and d.generation = p_generation
           and (d.first_used_at is null or d.sealed is not null or d.old_hash is not null
               or d.reopened_at is not null or (d.crypt_hash is null and p_crypt_hash is not null))
        returning d.* into c;
        if c.first_used_at >= now() then
            perform devcred.credential_note('credential_confirm', 'ok',
                c.tenant || '/' || c.username, p_source, c, p_request);
        end if;
    else
        update devcred.device_credential d
           set failures = d.failures + 1,
               failed_at = clock_timestamp()
         where d.device_id = p_id
           and d.tenant = p_tenant;
        if not found then
            update devcred.decoy d
               set failures = d.failures + 1,
                   failed_at = clock_timestamp()
             where d.slot = abs(hashtext(p_id) % 64);
        end if;
        perform devcred.login_failed(p_tenant, 'device_' || p_id, p_source);
    end if;
    return query
    select 'ok'::devcred.outcome;
end
$$;
comment on function devcred.credential_use(text, text, int, bool, inet, text, text) is
    'Record what a login of a device came to.  Good: the password of this generation is in use, so its delivery window is closed and the password
before it ends; p_crypt_hash is kept if there is none.  Bad: counted, also for a device that does not exist, and towards login_wait().';

create or replace function devcred.verify(p_user text, p_password text, p_source inet default null)
returns bool
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set lock_timeout = '2s'
as $$
declare
    v_tenant text := split_part(p_user, '/', 1);
    v_id text := substr(p_user, length(split_part(p_user, '/', 1)) + 9);
    v_named bool := substr(p_user, length(split_part(p_user, '/', 1)) + 1, 8) = '/device_';
    v_password bytea := convert_to(p_password, 'UTF8');
    v_new bool;
    v_old bool;
    c devcred.device_credential;
begin
    if devcred.login_wait(v_tenant, 'device_' || v_id, p_source) > 0 then
        return false;
    end if;
    select d.*
      into c
      from devcred.device_credential d
     where d.device_id = v_id
       and d.tenant = v_tenant
       and v_named
       and d.disabled_at is null
       and (d.expires_at is null or d.expires_at > now());
    -- both, always: what takes time must not tell who exists
    v_new := coalesce(sha256(v_password || coalesce(c.password_salt,
        '\x00000000000000000000000000000000')) = c.password_hash, false);
    v_old := coalesce(sha256(v_password || coalesce(c.old_salt,
        '\x00000000000000000000000000000000')) = c.old_hash and c.old_until > now(), false);
    if v_new and c.first_used_at is not null and c.sealed is null
            and c.old_hash is null and c.reopened_at is null then
        return true;        -- nothing to record
    end if;
    if not v_old and not pg_is_in_recovery() then
        perform devcred.credential_use(v_tenant, v_id, c.generation, v_new, p_source);
    end if;
    return v_new or v_old;
end
$$;
comment on function devcred.verify(text, text, inet) is
    'Whether p_user ("tenant/device_id") may log in with this password.  The same work whether there is such a device or not; counts failures,
records the first use, and closes the delivery window with it.  On a standby it answers and records nothing.  p_source: where the device is; who guesses from there
has to wait (login_wait()), and is told false meanwhile.';
