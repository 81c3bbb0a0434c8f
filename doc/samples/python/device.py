#!/usr/bin/python3
"""Gets a device a login of its own from devcred, keeps it in a file, and logs
in with it.  Whatever is lost on the way, it may be started again.

Exit status: 0 the device has its login, and it works; 1 something here is
wrong; 2 wrong arguments; 3 the bootstrap login is refused; 4 the request is;
5 the device's own login is.
"""

import argparse
import base64
import http.client
import json
import os
import random
import ssl
import sys
import time
import urllib.parse

WAIT_FIRST = 2       # seconds, after a first failure
WAIT_MAX = 600       # seconds, whatever is asked for
ANSWER_MAX = 65536   # bytes
LOCAL, USAGE, NO_BOOTSTRAP, NO_REQUEST, NO_LOGIN = range(1, 6)


class Refused(Exception):
    """Nothing that asking again would change; its value is the exit status."""


def say(*words):
    """Say it; never with a password or token."""
    print('device:', *words, file=sys.stderr, flush=True)


def read_line(path):
    """The first line of a file, of bytes that need not be UTF-8."""
    with open(path, encoding='utf-8', errors='surrogateescape') as file:
        line = file.readline().rstrip('\r\n')
    if not line:
        raise OSError(0, 'has no line', path)
    return line


def sync_folder(path):
    folder = os.open(os.path.dirname(path) or '.', os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def keep(path, line=None):
    """Keep a line in a file, which is there wholly or not at all, even if the
    power goes; without a line, only find out whether that will do."""
    new = path + '.new'
    if os.path.lexists(new):
        os.unlink(new)          # what an earlier attempt may have left
    fd = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(fd, 'w', encoding='utf-8', errors='surrogateescape') as file:
        if line is not None:
            file.write(line + '\n')
            file.flush()
        os.fsync(fd)
    if line is None:
        os.unlink(new)
        return
    os.rename(new, path)
    sync_folder(path)


class Service:
    """The service, over one connection that is kept while it can be."""

    def __init__(self, url, trusted):
        parts = urllib.parse.urlsplit(url)
        if parts.scheme == 'https':
            self.connection = http.client.HTTPSConnection(
                parts.netloc, timeout=30,
                context=ssl.create_default_context(cafile=trusted))
        else:
            self.connection = http.client.HTTPConnection(parts.netloc,
                                                         timeout=30)
        self.prefix = parts.path.rstrip('/')
        self.failures = 0       # one after another
        self.asked = 0          # seconds to wait

    def once(self, method, path, login, body):
        head = {
            'Authorization': 'Basic ' + base64.b64encode(
                login.encode('utf-8', 'surrogateescape')).decode('ascii'),
            'User-Agent': 'devcred-sample',
        }
        if body is not None:
            head['Content-Type'] = 'application/json'
        self.connection.request(method, self.prefix + path, body, head)
        answer = self.connection.getresponse()
        text = answer.read(ANSWER_MAX + 1)
        if len(text) > ANSWER_MAX:
            raise http.client.HTTPException('more than an answer of devcred')
        after = answer.headers.get('Retry-After', '')
        if after.isascii() and after.isdigit():
            self.asked = min(int(after[:9]), WAIT_MAX)
        return answer.status, text

    def ask(self, method, path, login, body=None):
        """HTTP status and answer; 0 if there was no whole answer."""
        self.asked = 0
        try:
            used = self.connection.sock is not None
            try:
                return self.once(method, path, login, body)
            except (ConnectionError, http.client.BadStatusLine):
                # what was kept had been closed: all that is asked here may
                # be asked again
                self.connection.close()
                if not used:
                    raise
                return self.once(method, path, login, body)
        except (OSError, http.client.HTTPException) as fault:
            self.connection.close()
            say('no answer:', fault or type(fault).__name__)
            return 0, b''

    def wait(self, failed):
        """Wait as long as the service asked for; after a failure twice as
        long as the last time, if that is more; and by chance up to half of it
        in addition."""
        doubled = WAIT_FIRST << min(self.failures, 10) if failed else 0
        self.failures = self.failures + 1 if failed else 0
        seconds = min(max(doubled, self.asked), WAIT_MAX)
        time.sleep(seconds + random.uniform(0, seconds / 2 + 1))


def tell(status, text):
    if status not in (0, 200, 201):
        say(status, text[:300].decode('utf-8', 'replace'))


def may_pass(status):
    """Whether asking again later can be of use."""
    return status in (0, 404, 408, 429) or status >= 500


def login_of(text):
    """The login that an answer brings; None if it brings none."""
    try:
        answer = json.loads(text)
        part = [answer[name] for name in ('tenantId', 'username', 'password')]
    except (ValueError, KeyError, TypeError):
        return None
    if not all(isinstance(p, str) and p and p.isprintable() for p in part):
        return None
    return '%s/%s:%s' % tuple(part)


def get_login(service, bootstrap, device, token):
    """Ask until there is a login."""
    body = {'id': device}
    if token:
        body['securityToken'] = token
    body = json.dumps(body).encode('ascii')
    while True:
        status, text = service.ask(
            'POST', '/devicecontrol/deviceCredentials', bootstrap, body)
        tell(status, text)
        if status == 201:
            login = login_of(text)
            if login:
                return login
            say('201, but no login in it')
        elif status in (401, 403):
            raise Refused(NO_BOOTSTRAP)
        elif not may_pass(status):
            raise Refused(NO_REQUEST)
        # a 404 of devcred's says when to come again
        service.wait(failed=status != 404 or not service.asked)


def log_in(service, login):
    """Log in with what is kept."""
    service.failures = 0
    while True:
        status, text = service.ask('GET', '/user/currentUser', login)
        tell(status, text)
        if status == 200:
            say('logged in as', login.split(':', 1)[0])
            return
        if not may_pass(status):
            raise Refused(NO_LOGIN)
        service.wait(failed=True)


def is_safe(url):
    """Whether passwords may be sent to it: over TLS, or to this machine."""
    return '@' not in url and url.startswith(('https://', 'http://127.0.0.1:'))


def run(arg):
    service = Service(arg.u, arg.c)
    bootstrap = read_line(arg.b)
    token = read_line(arg.t) if arg.t else None
    login = read_line(arg.o) if os.path.lexists(arg.o) else None
    if not login:
        keep(arg.o)
    time.sleep(random.uniform(0, arg.s))
    if not login:
        login = get_login(service, bootstrap, arg.i, token)
        keep(arg.o, login)
    log_in(service, login)


def main():
    parser = argparse.ArgumentParser(prog='device')
    parser.add_argument('-u', metavar='URL', required=True)
    parser.add_argument('-i', metavar='ID', required=True)
    parser.add_argument('-b', metavar='FILE', required=True,
                        help='bootstrap login: tenant/user:password')
    parser.add_argument('-o', metavar='FILE', required=True,
                        help="where the device's own login is kept")
    parser.add_argument('-t', metavar='FILE', help='security token')
    parser.add_argument('-c', metavar='FILE',
                        help="certificates to trust, instead of the system's")
    parser.add_argument('-s', metavar='SECONDS', type=float, default=10,
                        help='begin after up to so many seconds, by chance')
    arg = parser.parse_args()
    if not is_safe(arg.u):
        parser.error(arg.u + ': passwords go over https:// only')
    try:
        run(arg)
    except Refused as refused:
        return refused.args[0]
    except OSError as fault:
        say(fault)
        return LOCAL
    return 0


if __name__ == '__main__':
    sys.exit(main())
