// How the page writes figures; harness/analysis/wording.py writes the same figures the same way.
(() => {
  "use strict";

  const bakeoff = (window.bakeoff ??= {});
  const NONE = "–";
  const MINUS = "−";
  const SPACE = "\u00a0";
  const MARKS = { better: "▲", worse: "▼", tied: "", unknown: "", reference: "" };
  const STATUSES = { ok: "ok", skipped: "skipped", failed: "failed", timeout: "out of time", memory: "out of memory" };
  const TIMES = [[1, "s", 1], [1e-3, "ms", 1e3], [1e-6, "µs", 1e6], [0, "ns", 1e9]];
  const SIZES = [[1e9, "GB", 1e-9], [1e6, "MB", 1e-6], [1e3, "kB", 1e-3], [0, "B", 1]];
  // From here on three digits round to the next unit: 1.00 s and not 1,000 ms.
  const ROUNDED = 0.9995;
  const LEAST_RATIO = 0.01;
  // In bytes: less memory than this cannot be measured. LEAST_MEMORY of harness/analysis/aggregates.py is the same.
  const LEAST_MEMORY = 1e5;
  const FINEST = 6;

  const absent = (value) => value === null || value === undefined;

  /** A number with separators; what rounds to zero has no sign. */
  const fixed = (value, places) => {
    const [whole, part] = Math.abs(value).toFixed(places).split(".");
    const text = whole.replace(/\B(?=(\d{3})+$)/g, ",") + (part ? `.${part}` : "");
    return value < 0 && /[1-9]/.test(text) ? MINUS + text : text;
  };

  const signed = (value, places) => {
    const text = fixed(value, places);
    return text.startsWith(MINUS) || !/[1-9]/.test(text) ? text : `+${text}`;
  };

  const digits = (value) => {
    const size = Math.abs(value);
    return fixed(value, size >= 99.95 ? 0 : size >= 9.995 ? 1 : 2);
  };

  const number = (value) => {
    const size = Math.abs(value);
    if (size > 0 && size < 5e-4) return value.toExponential(2).replaceAll("-", MINUS).replace("+", "");
    return fixed(value, size < 10 ? 4 : size < 100 ? 2 : size < 1000 ? 1 : 0);
  };

  /** Any value with its unit, such as a share of a measure: "366 B". */
  const scaled = (value, unit) => {
    if (absent(value)) return NONE;
    const scales = { s: TIMES, byte: SIZES }[unit];
    if (!scales) return unit === "" || unit === "1" ? number(value) : number(value) + SPACE + unit;
    const [, name, factor] = scales.find(([least]) => Math.abs(value) >= ROUNDED * least && value) ?? scales[0];
    return digits(value * factor) + SPACE + name;
  };

  /** A value of a measure with its unit: "911 ms", "36.6 MB", "0.7784"; memory too small to be measured is "<0.1 MB". */
  const figure = (value, unit) =>
    unit === "byte" && !absent(value) && value < LEAST_MEMORY ? `<0.1${SPACE}MB` : scaled(value, unit);

  const ratio = (value) => {
    if (absent(value)) return NONE;
    return value < LEAST_RATIO ? `<${LEAST_RATIO}x` : `${digits(value)}x`;
  };

  /** Decimals of a difference: those of the first digit of half its interval, at least three below ten. */
  const decimals = (found) => {
    const known = [found.estimate, found.low, found.high].filter((value) => !absent(value)).map(Math.abs);
    const size = Math.max(0, ...known);
    const least = size < 10 ? 3 : size < 1000 ? 1 : 0;
    const width = absent(found.low) || absent(found.high) ? 0 : found.high - found.low;
    const fine = width / 2 || size / 10;
    return fine > 0 ? Math.min(FINEST, Math.max(least, Math.ceil(-Math.log10(fine)))) : least;
  };

  /** The estimate of a comparison: "5.89x" for a cost, "+0.013" for a metric. */
  const effect = (found, cost) => {
    if (absent(found?.estimate)) return NONE;
    return cost ? ratio(found.estimate) : signed(found.estimate, decimals(found));
  };

  /** A rate with its interval: "0.0480 [0.0389, 0.0585]". */
  const rate = (found) => `${number(found.estimate)} [${number(found.low)}, ${number(found.high)}]`;

  /** The interval of a comparison, "[1.08, 1.40]", or that all blocks agree; empty without either. */
  const interval = (found, cost) => {
    if (found?.same) return `${found.estimate === (cost ? 1 : 0) ? "equal" : "the same"} in all ${found.blocks} blocks`;
    if (absent(found?.low) || absent(found.high)) return "";
    const bounds = [found.low, found.high];
    const texts = cost ? bounds.map((b) => ratio(b).replace(/x$/, "")) : bounds.map((b) => signed(b, decimals(found)));
    return `[${texts.join(", ")}]`;
  };

  const params = (values) =>
    Object.entries(values)
      .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
      .map(([name, value]) => `${name}=${value}`)
      .join(" ");

  /** The name of a cell: "flights, clean (rows=100000 threads=1)". */
  const cell = (own) => {
    const told = params(own.params);
    return `${own.dataset}, ${own.scenario}${told ? ` (${told})` : ""}`;
  };

  /** A mean rank: "1", "2.5", "3.25". */
  const rank = (value) => String(Number(value.toFixed(2)));

  /** The value of a parameter as on the command line. */
  const value = (own) => String(own);

  const statuses = (counts) => {
    const names = [...new Set([...Object.keys(STATUSES), ...Object.keys(counts).sort()])];
    return names.filter((name) => counts[name]).map((name) => `${counts[name]} ${STATUSES[name] ?? name}`).join(", ");
  };

  /** Join names, the first ones only if they are many: "a, b and 2 more". */
  const names = (all, most = 3) => {
    const named = all.length > most ? [...all.slice(0, most), `${all.length - most} more`] : all;
    return [named.slice(0, -1).join(", "), ...named.slice(-1)].filter(Boolean).join(" and ");
  };

  bakeoff.format = {
    NONE,
    MARKS,
    STATUSES,
    LEAST_MEMORY,
    figure,
    scaled,
    ratio,
    effect,
    names,
    rate,
    interval,
    params,
    cell,
    value,
    rank,
    statuses,
    fixed,
    digits,
  };
})();
