// Strategies against a reference: which differences are real, as harness/analysis/verdicts.py decides it.
(() => {
  "use strict";

  const bakeoff = (window.bakeoff ??= {});
  const ALPHA = 0.05;
  /** Log-ratio of memory below which there is no difference. */
  const MEMORY_FLOOR = 0.01;

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

  bakeoff.isTime = (measure) => measure.cost && measure.unit === "s";

  /** The log-ratio of a cost that noise alone reaches over some blocks; null where it is not known. */
  bakeoff.noiseFloor = (measure, blocks, noise) => {
    if (!bakeoff.isTime(measure)) return measure.cost ? MEMORY_FLOOR : null;
    if (!noise) return null;
    return blocks > 1 ? (bakeoff.student.quantile(blocks - 1) * noise.sd) / Math.sqrt(blocks) : Infinity;
  };

  const verdict = (found, measure, noise) => {
    const none = measure.cost ? 1 : 0;
    if (found?.same && found.estimate === none) return "tied";
    if (!found || found.low === null) return "unknown";
    const drowned = measure.cost && Math.abs(Math.log(found.estimate)) < (bakeoff.noiseFloor(measure, found.blocks, noise) ?? 0);
    const excluded = found.low > none || found.high < none;
    if (drowned || !(found.p < ALPHA) || !excluded) return "tied";
    return found.estimate > none === (measure.better === "higher") ? "better" : "worse";
  };

  /** Where the strategies of some cells were compared last: a table, its charts and its file ask for the same. */
  let last = { key: "", found: null };

  /**
   * Compare all strategies of some cells of one machine with a reference, on all measures of the task.
   * Returns a Map from measure to a Map from strategy to its effect with `p` after Holm over all of them, and
   * `verdict`: "better", "worse", "tied", "unknown" (no interval) or "reference".
   */
  bakeoff.compare = (task, cells, reference) => {
    const key = JSON.stringify([task.id, cells.map((cell) => task.cells.indexOf(cell)), reference]);
    if (last.key !== key) last = { key, found: compare(task, cells, reference) };
    return last.found;
  };

  const compare = (task, cells, reference) => {
    const noise = cells.length ? bakeoff.payload.machines[cells[0].machine]?.noise : null;
    const others = task.strategies.map((_, at) => at).filter((at) => at !== reference);
    const none = { estimate: null, low: null, high: null, blocks: 0, cells: 0, p: null };
    const pairs = task.measures.flatMap((measure) => others.map((own) => ({ measure, own })));
    for (const pair of pairs) {
      pair.found = bakeoff.measurable(cells, [pair.own, reference], pair.measure)
        ? bakeoff.effect(task, cells, pair.own, reference, pair.measure.name)
        : null;
    }
    const tested = pairs.filter(({ found }) => found !== null && found.p !== null);
    holm(tested.map(({ found }) => found.p)).forEach((p, index) => {
      tested[index].found.p = p;
    });
    const compared = new Map(task.measures.map(({ name }) => [name, new Map([[reference, { ...none, verdict: "reference" }]])]));
    for (const { measure, own, found } of pairs) {
      compared.get(measure.name).set(own, { ...(found ?? none), verdict: verdict(found, measure, noise) });
    }
    return compared;
  };
})();
