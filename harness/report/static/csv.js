// Comma-separated values that a spreadsheet opens without running anything.
(() => {
  "use strict";

  const bakeoff = (window.bakeoff ??= {});

  const field = (value) => {
    if (value === null || value === undefined) return "";
    if (typeof value === "number") return String(value);
    // A spreadsheet takes these for the start of a formula; the quote says that it is text.
    const text = /^[=+\-@\t\r]/.test(value) && !Number.isFinite(Number(value)) ? `'${value}` : String(value);
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };

  /** Write rows of numbers, texts and nulls. */
  bakeoff.csv = (rows) => `${rows.map((row) => row.map(field).join(",")).join("\r\n")}\r\n`;
})();
