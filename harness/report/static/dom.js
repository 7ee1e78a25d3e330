// Elements from data. Text only ever becomes a text node or an attribute, so names can hold anything.
(() => {
  "use strict";

  const bakeoff = (window.bakeoff ??= {});

  /** Make an element; an attribute that is null, undefined or false is left out, a function is a listener. */
  bakeoff.element = (tag, attributes = {}, ...children) => {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (typeof value === "function") made.addEventListener(name, value);
      else if (value !== null && value !== undefined && value !== false) {
        made.setAttribute(name, value === true ? "" : value);
      }
    }
    made.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== ""));
    return made;
  };

  /** Offer content as a file to save. */
  bakeoff.download = (name, content, type) => {
    const address = URL.createObjectURL(content instanceof Blob ? content : new Blob([content], { type }));
    const link = bakeoff.element("a", { href: address, download: name });
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(address), 10_000);
  };

  /** Turn a name into one that any file system takes. */
  bakeoff.fileName = (...parts) =>
    parts
      .join("-")
      .replace(/[^\p{L}\p{N}_.=-]+/gu, "-")
      .replace(/^[-.]+|-+$/g, "")
      .slice(0, 120) || "bakeoff";
})();
