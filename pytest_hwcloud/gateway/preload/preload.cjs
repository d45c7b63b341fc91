// Loaded by every Node program that a cloud test starts (NODE_OPTIONS). Clients that read no proxy variables, and that
// is most of them, are led to the loopback server here: a connection to a cloud host goes to 127.0.0.1. TLS keeps the
// real host name; NODE_EXTRA_CA_CERTS makes its certificate trusted.
"use strict";

const parts = (process.env.HWCLOUD_CHILD || "").split("|");
if (parts.length === 4) {
  const net = require("net");
  const dns = require("dns");
  const mode = parts[0];
  const port = Number(parts[1].split(":").pop());
  const hosts = parts[3].toLowerCase().split(",").filter(Boolean);

  const covers = (pattern, name) => {
    if (!pattern.includes("*")) return name === pattern || name.endsWith("." + pattern);
    const escaped = pattern.split("*").map((text) => text.replace(/[.+?^${}()|[\]\\]/g, "\\$&"));
    return new RegExp("^" + escaped.join(".*") + "$").test(name);
  };
  const isCloud = (host) => {
    if (typeof host !== "string") return false;
    const name = host.toLowerCase().replace(/\.$/, "");
    return hosts.some((pattern) => covers(pattern, name));
  };

  // What the server says about a host: status line and body.
  const ask = (method, place, then) => {
    const line = new net.Socket();
    let told = "";
    line.setEncoding("utf8");
    line.on("data", (text) => (told += text));
    line.on("error", () => {});
    line.on("close", () => then(told.split("\r\n")[0], (told.split("\r\n\r\n")[1] || "").trim()));
    connect.call(line, { host: "127.0.0.1", port });
    line.write(`${method} ${place} HTTP/1.1\r\n\r\n`);
  };

  // The server fails the test, and the socket fails with what it says.
  const refuse = (socket, place) => {
    socket.connecting = true;
    ask("CONNECT", place, (status, text) => {
      const error = new Error(text || `hwcloud: blocked a child process that called ${place}`);
      socket.destroy(Object.assign(error, { code: "ECONNREFUSED", syscall: "connect" }));
    });
    return socket;
  };

  // Looks a cloud host up: 127.0.0.1, or the recorded fault. Nothing listens on 127.0.0.2.
  const lookUp = (place) => (host, options, then) =>
    ask("HWCLOUD", place, (status) => {
      if (status.endsWith(" 502 dns")) {
        const error = new Error(`getaddrinfo ENOTFOUND ${host}`);
        then(Object.assign(error, { errno: -3008, code: "ENOTFOUND", syscall: "getaddrinfo", hostname: host }));
        return;
      }
      const address = status.endsWith(" 502 connection-refused") ? "127.0.0.2" : "127.0.0.1";
      if (options && options.all) then(null, [{ address, family: 4 }]);
      else then(null, address, 4);
    });

  const connect = net.Socket.prototype.connect;
  net.Socket.prototype.connect = function (...args) {
    const normalized = Array.isArray(args[0]) ? args[0] : net._normalizeArgs(args);
    const options = normalized[0];
    if (!options || !isCloud(options.host || options.hostname)) return connect.apply(this, args);
    if (mode === "refuse") return refuse(this, `${options.host || options.hostname}:${options.port || 443}`);
    const place = `${options.host || options.hostname}:${options.port || 443}`;
    const there = Object.assign({}, options, { port, family: 4, lookup: lookUp(place), autoSelectFamily: false });
    delete there.path;
    return connect.call(this, there, normalized[1] || undefined);
  };

  const lookup = dns.lookup;
  dns.lookup = function (host, ...rest) {
    return isCloud(host) ? lookup.call(this, "127.0.0.1", ...rest) : lookup.call(this, host, ...rest);
  };
  const promised = dns.promises.lookup;
  dns.promises.lookup = function (host, ...rest) {
    return promised.call(this, isCloud(host) ? "127.0.0.1" : host, ...rest);
  };
}
