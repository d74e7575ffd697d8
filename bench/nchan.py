"""nginx with nchan as a rival of resumed streams: it keeps messages in memory, and stores nothing (Linux).

It comes from Debian's package `libnginx-mod-nchan`, and runs with one worker.
"""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from http.client import HTTPConnection
from pathlib import Path
from typing import Final

import psutil

from bench.brokers import Tree
from bench.processes import Cores, Server, ServerFailed, free_port

_MODULE: Final = Path("/usr/lib/nginx/modules/ngx_nchan_module.so")
_START_SECONDS: Final = 20.0
_CONNECTIONS: Final = 40_000


def nginx_with_nchan() -> str | None:
    """Return the path of nginx; None where it or nchan is not installed."""
    return shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin") if _MODULE.exists() else None


@contextmanager
def serving_nchan(nginx: str, folder: Path, cores: Cores, kept: int) -> Iterator[Server]:
    """Serve one channel for the block's length: `/publish` and `/stream`, with the last `kept` messages in memory.

    Raises:
        ServerFailed: it did not start.
    """
    port, home = free_port(), folder / "nchan"
    home.mkdir()
    (home / "nginx.conf").write_text(f"""
load_module {_MODULE};
daemon off;
worker_processes 1;
worker_rlimit_nofile {_CONNECTIONS};
pid {home}/pid;
error_log {home}/error.log;
events {{ worker_connections {_CONNECTIONS}; }}
http {{
    access_log off;
    client_body_temp_path {home}; proxy_temp_path {home}; fastcgi_temp_path {home};
    uwsgi_temp_path {home}; scgi_temp_path {home};
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        location = /stream {{ nchan_subscriber eventsource; nchan_channel_id alerts; }}
        location = /publish {{
            nchan_publisher; nchan_channel_id alerts;
            nchan_message_buffer_length {kept}; nchan_message_timeout 0;
        }}
    }}
}}
""")
    log = home / "log"
    with log.open("wb") as said:
        command = [nginx, "-p", str(home), "-c", str(home / "nginx.conf")]
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=said, stderr=said)
    server = Tree(port, psutil.Process(process.pid))
    try:
        until = time.monotonic() + _START_SECONDS
        while not _listens(port):
            if time.monotonic() > until or process.poll() is not None:
                raise ServerFailed(f"nginx did not start:\n{log.read_text(errors='replace')[-2000:]}")
            time.sleep(0.05)
        for each in [server.process, *server.process.children(recursive=True)]:
            each.cpu_affinity(sorted(cores.server))
        yield server
    finally:
        process.terminate()
        try:
            process.wait(_START_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def publish(port: int, alerts: Sequence[bytes]) -> str:
    """Publish alerts to the channel, in order. Returns the id of the first."""
    first = ""
    with closing(HTTPConnection("127.0.0.1", port, timeout=10)) as connection:
        for data in alerts:
            connection.request("POST", "/publish", data, {"X-EventSource-Event": "alert"})
            said = connection.getresponse().read().decode()
            first = first or said.rpartition("last message id: ")[2].strip()
    return first


def _listens(port: int) -> bool:
    with suppress(OSError), closing(socket.create_connection(("127.0.0.1", port), timeout=1)):
        return True
    return False
