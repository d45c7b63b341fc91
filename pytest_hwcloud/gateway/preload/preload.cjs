// Loaded by every Node program that a cloud test starts (NODE_OPTIONS). Clients that read no proxy variables, and that
// is most of them, are led to the loopback server here: a connection to a cloud host goes to 127.0.0.1. TLS keeps the
// real host name; NODE_EXTRA_CA_CERTS makes its certificate trusted.
"use strict";

const parts = (process.env.HWCLOUD_CHILD || "").split("|");
if (parts.length === 4) {
  const net = require("net");
  const dns = require("dns");
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

  const connect = net.Socket.prototype.connect;
  net.Socket.prototype.connect = function (...args) {
    const normalized = Array.isArray(args[0]) ? args[0] : net._normalizeArgs(args);
    const options = normalized[0];
    if (!options || !isCloud(options.host || options.hostname)) return connect.apply(this, args);
    const there = Object.assign({}, options, { host: "127.0.0.1", port, family: 4 });
    delete there.hostname;
    delete there.lookup;
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
