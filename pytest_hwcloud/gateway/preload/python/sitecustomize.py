"""Loaded by every Python program that a cloud test starts. Standard library only, Python 3.7 and later.

Clients that read no proxy variables (http.client, aiohttp, urllib3) are led to the loopback server here: a cloud host
is looked up as 127.0.0.1 and its port becomes the server's ("answer"), or the look-up fails with the reason ("refuse").
The user's own sitecustomize runs afterwards.
"""

import os
import sys

_HERE = os.path.dirname(os.path.abspath(__file__))


class _Told:
    """The content of HWCLOUD_CHILD."""

    def read(self):
        parts = os.environ.get("HWCLOUD_CHILD", "").split("|")
        if len(parts) != 4:
            return False
        self.mode, place, self.ca, hosts = parts
        self.port = int(place.rpartition(":")[2])
        self.hosts = [host.lower() for host in hosts.split(",") if host]
        return True


def _matches(name, pattern):
    """Whether a glob of `*` and plain text covers a name."""
    first, star, rest = pattern.partition("*")
    if not star:
        return name == pattern
    if not name.startswith(first):
        return False
    return any(_matches(name[i:], rest) for i in range(len(first), len(name) + 1)) if rest else True


def _is_cloud(host, hosts):
    if isinstance(host, (bytes, bytearray)):
        host = bytes(host).decode("latin-1")
    if not isinstance(host, str):
        return False
    name = host.lower().rstrip(".")
    for pattern in hosts:
        plain = "*" not in pattern
        if (plain and (name == pattern or name.endswith("." + pattern))) or (not plain and _matches(name, pattern)):
            return True
    return False


def _closed():
    """A port on which nothing listens."""
    import _socket

    line = _socket.socket(_socket.AF_INET, _socket.SOCK_STREAM)
    line.bind(("127.0.0.1", 0))
    number = line.getsockname()[1]
    line.close()
    return number


def _name(host):
    return bytes(host).decode("latin-1") if isinstance(host, (bytes, bytearray)) else host


def _install(config):
    """config: mode, place of the server, certificate and cloud hosts; a fork server's children each have their own."""
    import _socket

    getaddrinfo, plain = _socket.getaddrinfo, _socket.socket

    def ask(method, host, wanted):
        """Status line and body of the server's reply about a host."""
        heard = b""
        try:
            line = plain(_socket.AF_INET, _socket.SOCK_STREAM)
            line.settimeout(5)
            line.connect(("127.0.0.1", config.port))
            line.send(("%s %s:%s HTTP/1.1\r\n\r\n" % (method, _name(host), wanted or 443)).encode("latin-1"))
            while True:
                data = line.recv(65536)
                if not data:
                    break
                heard += data
            line.close()
        except OSError:
            pass
        head, _, body = heard.partition(b"\r\n\r\n")
        return head.partition(b"\r\n")[0].decode("latin-1"), body.decode("utf-8", "replace").strip()

    def refuse(host, wanted):
        """Report to the server, which fails the test, and raise its reply."""
        _, text = ask("CONNECT", host, wanted)
        raise _socket.gaierror(_socket.EAI_FAIL, text or "hwcloud: blocked a child process that called " + _name(host))

    def reach(host, wanted):
        """The port that stands for a host; the recorded faults are met here as a network would have them."""
        status, _ = ask("HWCLOUD", host, wanted)
        if status.endswith(" 502 dns"):
            raise _socket.gaierror(_socket.EAI_NONAME, "Name or service not known")
        return _closed() if status.endswith(" 502 connection-refused") else config.port

    def look_up(host, wanted, *args, **kwargs):
        if not _is_cloud(host, config.hosts):
            return getaddrinfo(host, wanted, *args, **kwargs)
        if config.mode == "refuse":
            refuse(host, wanted)
        given = dict(zip(("family", "type", "proto", "flags"), args), **kwargs)
        flags = given.get("flags", 0) & ~_socket.AI_ADDRCONFIG  # a machine may have no other network
        return getaddrinfo(
            "127.0.0.1", reach(host, wanted), _socket.AF_INET, given.get("type", 0), given.get("proto", 0), flags
        )

    def by_name(original):
        def look(host, *args):
            if not _is_cloud(host, config.hosts):
                return original(host, *args)
            if config.mode == "refuse":
                refuse(host, None)
            return original("127.0.0.1", *args)

        return look

    class socket(_socket.socket):
        __slots__ = ()

        def connect(self, address):
            return super().connect(there(address))

        def connect_ex(self, address):
            return super().connect_ex(there(address))

        def sendto(self, data, *rest):
            return super().sendto(data, *(rest[:-1] + (there(rest[-1]),)))

    def there(address):
        if isinstance(address, tuple) and len(address) >= 2 and _is_cloud(address[0], config.hosts):
            if config.mode == "refuse":
                refuse(address[0], address[1])
            return ("127.0.0.1", reach(address[0], address[1]))
        return address

    _socket.getaddrinfo = look_up
    loaded = sys.modules.get("socket")  # in a process that was there before the test
    for function in ("gethostbyname", "gethostbyname_ex", "gethostbyaddr"):
        ours = by_name(getattr(_socket, function))
        setattr(_socket, function, ours)
        if loaded is not None:
            setattr(loaded, function, ours)
    if loaded is not None:
        for method in ("connect", "connect_ex"):
            setattr(loaded.socket, method, _there_first(getattr(loaded.socket, method), there))
    _socket.socket = _socket.SocketType = socket
    if config.mode == "answer" and config.ca:
        if "ssl" in sys.modules:
            _trust(sys.modules["ssl"], config)
        else:
            sys.meta_path.insert(0, _WhenSslArrives(config))


def _there_first(original, there):
    return lambda self, address: original(self, there(address))


class _WhenSslArrives:
    """Waits for the module ssl; its contexts then trust the loopback server, for cloud hosts alone."""

    def __init__(self, config):
        self.config = config

    def find_spec(self, name, path=None, target=None):
        if name != "ssl":
            return None
        from importlib.util import find_spec

        sys.meta_path.remove(self)
        spec = find_spec(name)
        if spec is not None and spec.loader is not None:
            run = spec.loader.exec_module

            def exec_module(module):
                run(module)
                _trust(module, self.config)

            class Loader:
                create_module = staticmethod(spec.loader.create_module)
                get_code = getattr(spec.loader, "get_code", None)

            Loader.exec_module = staticmethod(exec_module)
            spec.loader = Loader()
        return spec


def _trust(ssl, config):
    def trusting(original):
        def wrap(self, *args, **kwargs):
            names = args + (kwargs.get("server_hostname"),)
            if any(_is_cloud(name, config.hosts) for name in names if isinstance(name, (str, bytes))):
                self.load_verify_locations(cafile=config.ca)
            return original(self, *args, **kwargs)

        return wrap

    for name in ("wrap_socket", "wrap_bio"):
        setattr(ssl.SSLContext, name, trusting(getattr(ssl.SSLContext, name)))


def _run_the_next():
    """The sitecustomize that this one hides."""
    from importlib.machinery import PathFinder

    rest = [path for path in sys.path if os.path.abspath(path or ".") != _HERE]
    spec = PathFinder.find_spec("sitecustomize", rest)
    if spec is not None and spec.loader is not None:
        from importlib.util import module_from_spec

        spec.loader.exec_module(module_from_spec(spec))


_told = getattr(sys, "_hwcloud_child", None) or _Told()
if _told.read() and not hasattr(sys, "_hwcloud_child") and sys.version_info >= (3, 7):
    sys._hwcloud_child = _told
    _install(_told)
if __name__ == "sitecustomize" and sys.version_info >= (3,):
    _run_the_next()
