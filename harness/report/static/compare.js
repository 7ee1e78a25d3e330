// Strategies against a reference: which differences are real, as harness/stats/verdicts.py decides it.
(() => {
  "use strict";

  const bakeoff = (window.bakeoff ??= {});
  const ALPHA = 0.05;

  /** Holm's adjustment of some p, in their order. */
  const holm = (values) => {
    const order = values.map((_, index) => index).sort((a, b) => values[a] - values[b]);
    const adjusted = [];
    let least = 0;
    order.forEach((index, place) => {
      least = Math.max(least, Math.min(1, (values.length - place) * values[index]));
      adjusted[index] = least;
    });
    return adjusted;
  };

  /** The log-ratio that noise alone reaches over some blocks. */
  const floor = (sd, blocks) =>
    blocks > 1 ? (bakeoff.student.quantile(blocks - 1) * sd) / Math.sqrt(blocks) : Infinity;

  bakeoff.isTime = (measure) => measure.cost && measure.unit === "s";

  const verdict = (found, measure, noise) => {
    const none = measure.cost ? 1 : 0;
    if (found?.same && found.estimate === none) return "tied";
    if (!found || found.low === null) return "unknown";
    const drowned = bakeoff.isTime(measure) && noise && Math.abs(Math.log(found.estimate)) < floor(noise.sd, found.blocks);
    const excluded = found.low > none || found.high < none;
    if (drowned || !(found.p < ALPHA) || !excluded) return "tied";
    return found.estimate > none === (measure.better === "higher") ? "better" : "worse";
  };

  /**
   * Compare strategies with a reference on one measure, over some cells of one machine.
   * Returns a Map from strategy to its effect with `p` after Holm over them all, and `verdict`: "better", "worse",
   * "tied", "unknown" (no interval) or "reference".
   */
  bakeoff.compare = (task, cells, strategies, reference, name) => {
    const measure = bakeoff.measure(task, name);
    const noise = cells.length ? bakeoff.payload.machines[cells[0].machine]?.noise : null;
    const others = strategies.filter((strategy) => strategy !== reference);
    const effect = (own) =>
      bakeoff.measurable(cells, [own, reference], measure) ? bakeoff.effect(task, cells, own, reference, name) : null;
    const found = new Map(others.map((own) => [own, effect(own)]));
    const tested = others.filter((own) => found.get(own)?.p !== null && found.get(own) !== null);
    holm(tested.map((own) => found.get(own).p)).forEach((p, index) => {
      found.get(tested[index]).p = p;
    });
    const none = { estimate: null, low: null, high: null, blocks: 0, cells: 0, p: null };
    const told = (own) => ({ ...(found.get(own) ?? none), verdict: verdict(found.get(own), measure, noise) });
    return new Map([[reference, { ...none, verdict: "reference" }], ...others.map((own) => [own, told(own)])]);
  };
})();
