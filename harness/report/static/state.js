// What the reader has chosen for each task; it lives in the address, so that a link shows the same.
(() => {
  "use strict";

  const bakeoff = (window.bakeoff ??= {});
  const ALL = "*";
  const FIELDS = ["dataset", "scenario", "machine", "reference", "sort", "direction", "rank", "view", "phases"];
  const states = [];
  const defaults = [];

  const distinct = (values) => [...new Set(values)];
  const isPhase = (measure) => measure.cost && measure.name.includes(".");

  /** Of the values in the address, the one that is meant; undefined when there is none. */
  const meant = (values, text) => (text === ALL ? ALL : values.find((value) => String(value) === text));

  const choices = (task) => ({
    machine: distinct(task.cells.map((cell) => cell.machine)),
    dataset: distinct(task.cells.map((cell) => cell.dataset)),
    scenario: distinct(task.cells.map((cell) => cell.scenario)),
    params: Object.fromEntries(
      distinct(task.cells.flatMap((cell) => Object.keys(cell.params)))
        .sort()
        .map((name) => [name, sorted(distinct(task.cells.map((cell) => cell.params[name]).filter((v) => v !== undefined)))])
        .filter(([, values]) => values.length > 1),
    ),
  });

  const sorted = (values) =>
    values.every((value) => typeof value === "number") ? values.sort((a, b) => a - b) : values;

  const measured = (cell) => cell.rows.filter((row) => row.statuses.ok).length;

  /** The cell to show first: the most strategies, then the one that shares most values with the others. */
  const centre = (cells) => {
    const shared = (cell) =>
      cells.reduce((sum, other) => sum + Object.keys(cell.params).filter((n) => cell.params[n] === other.params[n]).length, 0);
    const scored = cells.map((cell) => [measured(cell), shared(cell), cell]);
    return scored.reduce((best, own) => (own[0] > best[0] || (own[0] === best[0] && own[1] > best[1]) ? own : best))[2];
  };

  const initial = (task) => {
    const { params } = choices(task);
    const [first] = task.cells;
    const near = task.cells.filter((cell) => cell.machine === first?.machine && cell.dataset === first.dataset);
    const scenario = near.some((cell) => cell.scenario === "clean") ? "clean" : first?.scenario;
    const at = near.length ? centre(near.filter((cell) => cell.scenario === scenario)) : null;
    const main = task.measures.find((measure) => !measure.cost) ?? task.measures[0];
    const reference = task.strategies.findIndex((own) => own.label === task.reference);
    return {
      dataset: first?.dataset ?? ALL,
      scenario: scenario ?? ALL,
      machine: first?.machine ?? 0,
      params: Object.fromEntries(Object.keys(params).map((name) => [name, at?.params[name] ?? ALL])),
      reference: reference < 0 ? 0 : reference,
      sort: "rank",
      direction: "ascending",
      rank: main?.name ?? "",
      view: "effect",
      phases: false,
    };
  };

  /** Text in the address for a field, and back; undefined for what means nothing here. */
  const codes = {
    machine: [(task, value) => bakeoff.payload.machines[value].name, (task, text) => {
      const at = bakeoff.payload.machines.findIndex((machine) => machine.name === text);
      return choices(task).machine.includes(at) ? at : undefined;
    }],
    reference: [(task, value) => task.strategies[value].label, (task, text) => {
      const at = task.strategies.findIndex((own) => own.label === text);
      return at < 0 ? undefined : at;
    }],
    dataset: [null, (task, text) => meant(choices(task).dataset, text)],
    scenario: [null, (task, text) => meant(choices(task).scenario, text)],
    sort: [null, (task, text) => meant(["strategy", "rank", "trials", ...task.measures.map((m) => m.name)], text)],
    direction: [null, (task, text) => meant(["ascending", "descending"], text)],
    rank: [null, (task, text) => meant(task.measures.map((measure) => measure.name), text)],
    view: [null, (task, text) => meant(["effect", "median"], text)],
    phases: [(task, value) => (value ? "yes" : "no"), (task, text) => text === "yes"],
  };

  const read = (task, pairs) => {
    const state = initial(task);
    const known = choices(task).params;
    for (const field of FIELDS) {
      const text = pairs.get(`${task.id}:${field}`);
      const value = text === undefined ? undefined : codes[field][1](task, text);
      if (value !== undefined) state[field] = value;
    }
    for (const name of Object.keys(known)) {
      const text = pairs.get(`${task.id}:param:${name}`);
      const value = text === undefined ? undefined : meant(known[name], text);
      if (value !== undefined) state.params[name] = value;
    }
    return state;
  };

  const write = (index) => {
    const task = bakeoff.payload.tasks[index];
    const [own, usual] = [states[index], defaults[index]];
    const patch = {};
    for (const field of FIELDS) {
      const text = codes[field][0] ? codes[field][0] : (_, value) => value;
      patch[`${task.id}:${field}`] = own[field] === usual[field] ? null : text(task, own[field]);
    }
    for (const name of Object.keys(usual.params)) {
      patch[`${task.id}:param:${name}`] = own.params[name] === usual.params[name] ? null : own.params[name];
    }
    bakeoff.hash.set(patch);
  };

  const tell = (index) => document.dispatchEvent(new CustomEvent("bakeoff:change", { detail: { task: index } }));

  /** Take all states from the address; those that differ from before are told. */
  const load = () => {
    const pairs = bakeoff.hash.read();
    bakeoff.payload.tasks.forEach((task, index) => {
      defaults[index] ??= initial(task);
      const before = states[index];
      states[index] = read(task, pairs);
      if (before && JSON.stringify(before) !== JSON.stringify(states[index])) tell(index);
    });
  };

  const matches = (state) => (cell) =>
    cell.machine === state.machine &&
    [ALL, cell.dataset].includes(state.dataset) &&
    [ALL, cell.scenario].includes(state.scenario) &&
    Object.entries(state.params).every(([name, value]) => value === ALL || [undefined, value].includes(cell.params[name]));

  const copy = (state) => ({ ...state, params: { ...state.params } });

  const cells = (index, patch = {}) => {
    const state = { ...states[index], ...patch, params: { ...states[index].params, ...patch.params } };
    return bakeoff.payload.tasks[index].cells.filter(matches(state));
  };

  const set = (index, patch) => {
    states[index] = { ...states[index], ...patch, params: { ...states[index].params, ...patch.params } };
    write(index);
    tell(index);
  };

  /** The selection with cells that changes fewest of the reader's choices. */
  const nearest = (index) => {
    const state = states[index];
    const wanted = (cell) => ["machine", "dataset", "scenario"].filter((field) => [ALL, cell[field]].includes(state[field])).length * 2 +
      Object.entries(state.params).filter(([name, value]) => [ALL, cell.params[name]].includes(value)).length;
    const [best] = [...bakeoff.payload.tasks[index].cells].sort((a, b) => wanted(b) - wanted(a));
    const kept = Object.entries(state.params).map(([name, value]) => [name, value === ALL ? ALL : (best.params[name] ?? ALL)]);
    const field = (name) => (state[name] === ALL ? ALL : best[name]);
    return { machine: best.machine, dataset: field("dataset"), scenario: field("scenario"), params: Object.fromEntries(kept) };
  };

  bakeoff.state = {
    ALL,
    isPhase,
    load,
    set,
    cells,
    nearest,
    choices: (index) => choices(bakeoff.payload.tasks[index]),
    get: (index) => copy(states[index]),
    defaults: (index) => copy(defaults[index]),
  };
})();
