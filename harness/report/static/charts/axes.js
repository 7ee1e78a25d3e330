// Scales of the charts: their domains, ticks and tick texts.
(() => {
  "use strict";

  const bakeoff = (window.bakeoff ??= {});
  const PER_TICK = 84;
  const APART = 58;
  const FINE = [
    [1, 1.2, 1.4, 1.6, 1.8, 2, 2.5, 3, 3.5, 4, 5, 6, 7, 8, 9],
    [1, 1.5, 2, 3, 4, 5, 6, 8],
    [1, 1.5, 2, 3, 5, 7],
    [1, 2, 5],
    [1, 3],
    [1],
  ];
  const FAR = 4;
  const MOST_FAR = 3;
  const JOINED = 8;
  const known = (values) => values.filter((value) => value !== null && value !== undefined && Number.isFinite(value));
  const minus = (text) => text.replaceAll("-", "−");
  const plain = (value) => minus(String(Number(value.toPrecision(6))));

  /** "1.00 s" as "1 s": on an axis the steps say how exact it is. */
  const trim = (text) => text.replace(/(\.\d*?)0+(?=\D|$)/, "$1").replace(/\.(?=\D|$)/, "");

  const steps = (low, high, parts, every = 1) => {
    const found = [];
    for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power += 1) {
      if (power % every === 0) found.push(...parts.map((part) => Number((part * 10 ** power).toPrecision(12))));
    }
    return found.filter((value) => value >= low * (1 - 1e-9) && value <= high * (1 + 1e-9));
  };

  /** Round values on a logarithmic axis, as many as leave room for their texts. */
  const logTicks = (low, high, pixels) => {
    const linear = window.d3.ticks(low, high, Math.max(2, Math.floor(pixels / PER_TICK))).filter((value) => value > 0);
    const sparse = [2, 3, 5, 10, 20].map((every) => steps(low, high, [1], every));
    const at = (value) => (Math.log(value / low) / Math.log(high / low)) * pixels;
    const fits = (set) => set.length > 1 && set.every((value, place) => !place || at(value) - at(set[place - 1]) >= APART);
    if (high / low < 1.8) return linear;
    return [...FINE.map((parts) => steps(low, high, parts)), ...sparse].find(fits) ?? linear;
  };

  const median = (values) => bakeoff.rank.median(values) ?? 0;

  /**
   * Least and largest of some estimates and their intervals. An interval far wider than the others reaches over the edge,
   * so that it does not hide them. All are given as they lie on the axis, that is as logarithms on a logarithmic one.
   */
  const bounds = (estimates, lows = [], highs = []) => {
    const values = known(estimates);
    if (!values.length) return [0, 1];
    const [least, most] = [Math.min(...values), Math.max(...values)];
    const halves = estimates.flatMap((value, at) => known([(highs[at] ?? null) === null ? null : (highs[at] - lows[at]) / 2]));
    const reach = Math.max(most - least, 4 * median(halves));
    return [
      Math.max(least - reach, Math.min(least, ...known(lows))),
      Math.min(most + reach, Math.max(most, ...known(highs))),
    ];
  };

  const padded = ([low, high], least) => {
    const pad = Math.max((high - low) * 0.05, least);
    return [low - pad, high + pad];
  };

  const log = (range, pixels, format) => {
    const domain = padded(range, 0.01).map(Math.exp);
    return { type: "log", domain, ticks: logTicks(...domain, pixels), tickFormat: format };
  };

  const linear = (range, pixels, format) => {
    const size = Math.max(Math.abs(range[0]), Math.abs(range[1]));
    const domain = padded(range, range[0] === range[1] ? size * 0.05 || 1 : 0);
    return {
      type: "linear",
      domain,
      ticks: window.d3.ticks(...domain, Math.max(2, Math.floor(pixels / PER_TICK))),
      tickFormat: format,
    };
  };

  const logs = (values) => values.map((value) => (value > 0 ? Math.log(value) : null));

  /** What writes a value of a measure with its unit. */
  const united = (measure) => (value) => trim(bakeoff.format.scaled(value, measure.unit));

  /** A scale for levels of a measure, given as [estimate, low, high] each: logarithmic for a cost. */
  const level = (found, measure, pixels) => {
    const format = united(measure);
    const columns = [0, 1, 2].map((at) => found.map((entry) => entry[at] ?? null));
    if (measure.cost) return log(bounds(...columns.map(logs)), pixels, format);
    return linear(bounds(...columns), pixels, measure.unit === "1" ? plain : format);
  };

  /** A scale for effects on a measure: ratios or differences, no effect always within. */
  const effect = (found, measure, pixels) => {
    const none = measure.cost ? 1 : 0;
    const columns = [0, 1, 2].map((at) => [...found.map((entry) => entry[at] ?? null), none]);
    if (measure.cost) return log(bounds(...columns.map(logs)), pixels, (value) => `${plain(value)}x`);
    const text = ["s", "byte"].includes(measure.unit) ? united(measure) : plain;
    const signed = (value) => (value === 0 ? "0" : (value > 0 ? "+" : "") + text(value));
    return linear(bounds(...columns), pixels, signed);
  };

  /** A scale for the values of a swept parameter, ticked where something was measured; logarithmic from a span on. */
  const swept = (values, pixels, span = 1) => {
    const text = (value) => (Number.isInteger(value) ? bakeoff.format.fixed(value, 0) : plain(value));
    const wide = values.every((value) => value > 0) && Math.max(...values) >= span * Math.min(...values);
    const scale = wide ? log(bounds(logs(values)), pixels) : linear(bounds(values), pixels);
    const place = (value) => (scale.type === "log" ? Math.log(value) : value);
    const [low, high] = scale.domain.map(place);
    const at = (value) => ((place(value) - low) / (high - low)) * pixels;
    const ticks = [];
    for (const value of [...values].sort((a, b) => a - b)) {
      const last = ticks.at(-1);
      const room = last === undefined ? 0 : (bakeoff.look.width(text(value)) + bakeoff.look.width(text(last))) / 2 + 10;
      if (last === undefined || at(value) - at(last) >= room) ticks.push(value);
    }
    return { ...scale, ticks, tickFormat: text };
  };

  /** Which of some places on an axis lie so far off that the others could not be told apart: a set of their indices. */
  const far = (places) => {
    const order = places.map((_, at) => at).filter((at) => known([places[at]]).length).sort((a, b) => places[a] - places[b]);
    const span = (from, to) => places[order[to - 1]] - places[order[from]];
    const whole = order.length > 3 ? span(0, order.length) : 0;
    for (let total = 1; whole > 0 && total <= Math.min(MOST_FAR, Math.floor(order.length / 3)); total += 1) {
      for (let below = total; below >= 0; below -= 1) {
        const [from, to] = [below, order.length - (total - below)];
        if (span(from, to) * FAR < whole) return new Set([...order.slice(0, from), ...order.slice(to)]);
      }
    }
    return new Set();
  };

  /** Whether some places may stand on an axis with others, whose differences it still has to show. */
  const joins = (places, others) => {
    const span = (values) => Math.max(...values) - Math.min(...values);
    const [some, own] = [known(places), known(others)];
    return !some.length || !own.length || span(own) === 0 || span([...some, ...own]) <= JOINED * span(own);
  };

  bakeoff.axes = { level, effect, swept, far, joins, plain, trim, logTicks, bounds };
})();
