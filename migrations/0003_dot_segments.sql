-- An id that a path cannot have: its request could never be accepted.

alter table devcred.newdevice_request
    add constraint newdevice_request_id_is_no_dot_segment
        check (id not in ('.', '..'));
