"""A plugin of our own: it keeps volumes in /data, a tmpfs each, logs beside them, and judges requests.

Run by our interpreter.
"""

import ctypes
import json
import os
import signal
import socket
import sys
import threading
from http.server import BaseHTTPRequestHandler
from socketserver import UnixStreamServer


def _answer(path, asked):
    name = asked.get("Name")
    place = f"/data/{name}"
    match path:
        case "/VolumeDriver.Create":
            os.makedirs(place, exist_ok=True)
        case "/VolumeDriver.Mount":
            if not os.path.ismount(place):
                assert ctypes.CDLL(None).mount(b"tmpfs", place.encode(), b"tmpfs", 0, None) == 0
            return {"Mountpoint": place}
        case "/VolumeDriver.Get":
            return {"Volume": {"Name": name, "Mountpoint": place, "Status": {"debug": os.environ["DEBUG"]}}}
        case "/VolumeDriver.Remove":
            while os.path.ismount(place):
                ctypes.CDLL(None).umount2(place.encode(), 2)
            os.rmdir(place)
        case "/AuthZPlugin.AuthZReq":
            return {"Allow": asked["RequestURI"] != "/secrets", "Msg": "not /secrets"}
        case "/AuthZPlugin.AuthZRes":
            return {"Allow": asked["ResponseStatusCode"] != 418, "Msg": "not 418"}
        case "/VolumeDriver.Capabilities":
            return {"Capabilities": {"Scope": "local"}}
    return {"Err": ""}


def _figures():
    with socket.socket(socket.AF_UNIX) as client:
        client.connect("/run/docker/metrics.sock")
        client.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
        return client.makefile().read()


def _keep(file, name):
    with open(file, "rb", buffering=0) as stream, open(f"/data/{name}.log", "ab", buffering=0) as kept:
        while data := stream.read(65536):
            kept.write(data)


def _raw(path, asked):
    match path:
        case "/MetricsCollector.StartMetrics":
            with open("/run/docker/figures", "w") as kept:
                kept.write(_figures())
        case "/MetricsCollector.StopMetrics":
            os.rename("/run/docker/figures", "/run/docker/stopped")
        case "/LogDriver.StartLogging":
            if "refuse" in asked["Info"]["Config"]:
                return b'{"Err": "a refusal"}'
            threading.Thread(target=_keep, args=(asked["File"], asked["Info"]["ContainerID"]), daemon=True).start()
        case "/LogDriver.Capabilities":
            return b'{"Cap": {"ReadLogs": true}}'
        case "/LogDriver.ReadLogs":
            with open(f"/data/{asked['Info']['ContainerID']}.log", "rb") as kept:
                return kept.read()
    return b"{}"


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"{}")
        sys.stdout.write(f"{self.path}\n")
        sys.stdout.flush()
        plain = self.path.startswith(("/LogDriver.", "/MetricsCollector."))
        raw = _raw(self.path, asked) if plain else json.dumps(_answer(self.path, asked)).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def address_string(self):
        return "-"

    def log_message(self, *_):
        pass


if "deaf" in sys.argv:
    sys.exit(3)
signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
UnixStreamServer("/run/docker/plugins/keeper.sock", Handler).serve_forever()
