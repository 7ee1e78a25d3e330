// The part of the address after "#": name=value pairs, or the plain name of a section.
(() => {
  "use strict";

  const bakeoff = (window.bakeoff ??= {});

  const plain = (text) => {
    try {
      return decodeURIComponent(text.replace(/\+/g, " "));
    } catch {
      return "";
    }
  };

  /** Read the pairs, in their order; "#claims" is read as at=claims. */
  const read = () => {
    const found = new Map();
    for (const part of location.hash.slice(1).split("&")) {
      const at = part.indexOf("=");
      if (at > 0) found.set(plain(part.slice(0, at)), plain(part.slice(at + 1)));
      else if (part) found.set("at", plain(part));
    }
    return found;
  };

  const coded = (text) => encodeURIComponent(text).replace(/%2F/g, "/").replace(/%3A/g, ":").replace(/%2C/g, ",");

  /** Replace the pairs; with `step`, the reader can go back to what was before. */
  const write = (pairs, step = false) => {
    const text = [...pairs].map(([name, value]) => `${coded(name)}=${coded(String(value))}`).join("&");
    if (text === location.hash.slice(1)) return;
    history[step ? "pushState" : "replaceState"](null, "", text ? `#${text}` : location.pathname + location.search);
  };

  /** Set some pairs and keep the others; null takes one away. */
  const set = (patch, step = false) => {
    const pairs = read();
    for (const [name, value] of Object.entries(patch)) {
      if (value === null || value === undefined || value === "") pairs.delete(name);
      else pairs.set(name, value);
    }
    write(pairs, step);
  };

  bakeoff.hash = { read, set };
})();
