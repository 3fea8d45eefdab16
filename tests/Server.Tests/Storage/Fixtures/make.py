#!/usr/bin/env python3
"""Makes the fixture of a release: see README.md in this folder.

usage: make.py VERSION SERVER_DLL                         the SQLite folder
       make.py VERSION SERVER_DLL PGHOST PGPORT PGUSER    and then the PostgreSQL dump, with the same pepper
"""
import hashlib, http.client, json, os, shutil, socket, sqlite3, subprocess, sys, tempfile, time, zlib

DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
ROOT = "root-key-of-the-upgrade-fixtures-" + "0" * 12
YEAR_2100_MS = 4102444800000
HERE = os.path.dirname(os.path.abspath(__file__))


def secret(name):
    """The secret of a fixture's key: derived, so that it stands nowhere in the tree."""
    body = "tg_live_" + "".join(DIGITS[b % 62] for b in hashlib.sha512(("tollgate fixture " + name).encode()).digest()[:34])
    check, tail = zlib.crc32(body.encode()), ""
    for _ in range(6):
        check, digit = divmod(check, 62)
        tail = DIGITS[digit] + tail
    return body + tail


class Gate:
    def __init__(self, dll, folder, database):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("TOLLGATE_")}
        environment |= {"TOLLGATE_ROOT_KEY": ROOT} | ({"TOLLGATE_DATABASE": database} if database else {})
        self.process = subprocess.Popen(
            ["dotnet", dll, "serve", "--data", folder, "--urls", f"http://127.0.0.1:{self.port}"],
            env=environment, cwd=folder, stdout=subprocess.DEVNULL)
        while True:
            try:
                self.call("GET", "/healthz", raw=True)
                return
            except OSError:
                time.sleep(0.2)

    def call(self, method, path, body=None, raw=False):
        connection = http.client.HTTPConnection("127.0.0.1", self.port)
        headers = {"Authorization": "Bearer " + ROOT} | ({"Content-Type": "application/json"} if body is not None else {})
        connection.request(method, path, None if body is None else json.dumps(body), headers)
        answer = connection.getresponse()
        text = answer.read()
        assert raw or answer.status < 300, (method, path, answer.status, text)
        return text if raw else json.loads(text)

    def stop(self):
        self.process.terminate()
        self.process.wait()


def fill(gate):
    api = "/api/v1"
    project = gate.call("GET", api + "/projects")["data"][0]["id"]

    def key(name, where=project, **more):
        sha256 = hashlib.sha256(secret(name).encode()).hexdigest()
        return gate.call("POST", f"{api}/projects/{where}/keys", {"name": name, "secret_sha256": sha256} | more)["id"]

    key("active", metadata={"team": "blue"})
    key("manager", rights=["keys:read", "keys:manage", "verify"])
    narrow = key("narrow")
    gate.call("PATCH", f"{api}/keys/{narrow}", {"scopes": ["models"], "allowed_addresses": ["127.0.0.0/8", "::1/128"]})
    gate.call("POST", f"{api}/keys/{key('disabled')}/disable")
    gate.call("POST", f"{api}/keys/{key('revoked')}/revoke")
    gate.call("DELETE", f"{api}/keys/{key('deleted')}")
    gate.call("POST", f"{api}/keys/{key('rotating')}/rotate", {"grace_seconds": 86400})
    gate.call("POST", f"{api}/keys/{key('replaced')}/rotate", {"grace_seconds": 0})
    key("expired", expires_at=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3)))

    customer = gate.call("POST", api + "/organizations", {"name": "Customer"})["id"]
    closed = gate.call("POST", f"{api}/organizations/{customer}/projects", {"name": "Closed"})["id"]
    key("closed", closed)
    gate.call("DELETE", f"{api}/projects/{closed}")
    suspended = gate.call("POST", f"{api}/organizations/{customer}/projects", {"name": "Suspended"})["id"]
    key("suspended", suspended)
    gate.call("PATCH", f"{api}/organizations/{customer}", {"status": "suspended"})
    time.sleep(3)


def main():
    version, dll, *postgres = sys.argv[1:]
    target = os.path.join(HERE, version)
    grace = f"UPDATE secrets SET ends_at_ms = {YEAR_2100_MS} WHERE ends_at_ms IS NOT NULL AND ends_at_ms > created_at_ms + 3600000"
    with tempfile.TemporaryDirectory() as folder:
        if not postgres:
            gate = Gate(dll, folder, None)
            fill(gate)
            gate.stop()
            database = sqlite3.connect(os.path.join(folder, "tollgate.db"))
            database.execute(grace)
            database.commit()
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            database.close()
            os.makedirs(target)
            shutil.copy(os.path.join(folder, "tollgate.db"), target)
            shutil.copy(os.path.join(folder, "pepper"), target)
            return

        host, port, user = postgres
        at = ["-h", host, "-p", port, "-U", user]
        shutil.copy(os.path.join(target, "pepper"), folder)
        subprocess.run(["createdb", *at, "-T", "template0", "-E", "UTF8", "tollgate_fixture"], check=True)
        gate = Gate(dll, folder, f"Host={host};Port={port};Username={user};Database=tollgate_fixture")
        fill(gate)
        gate.stop()
        subprocess.run(["psql", *at, "-q", "-d", "tollgate_fixture", "-c", grace], check=True)
        dump = subprocess.run(
            ["pg_dump", *at, "--inserts", "--no-owner", "--no-privileges", "tollgate_fixture"],
            check=True, capture_output=True, text=True).stdout
        subprocess.run(["dropdb", *at, "tollgate_fixture"], check=True)
        # Only what any client can send: psql's own commands begin with a backslash.
        lines = [line for line in dump.splitlines() if line and not line.startswith(("--", "\\"))]
        with open(os.path.join(target, "postgresql.sql"), "w") as out:
            out.write("\n".join(lines) + "\n")


main()
