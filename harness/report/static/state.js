// What the reader has chosen for each task; it lives in the address, so that a link shows the same.
(() => {
  "use strict";

  const bakeoff = (window.bakeoff ??= {});
  const { ALL, choices, initial } = bakeoff.selection;
  const states = [];
  const defaults = [];

  const task = (index) => bakeoff.payload.tasks[index];
  const machines = () => bakeoff.payload.machines.map((machine) => machine.name);
  const labels = (own) => own.strategies.map((strategy) => strategy.label);
  const names = (own) => own.measures.map((measure) => measure.name);

  /** The value that a text in the address means; undefined when it means none of them. */
  const among = (values, text) => values.find((value) => String(value) === text);
  const placed = (values, text) => (values.includes(text) ? values.indexOf(text) : undefined);

  /** How each field is written into the address (as it is, if not said), and read from it. */
  const FIELDS = {
    dataset: { read: (own, text) => among([...choices(own).dataset, ALL], text) },
    scenario: { read: (own, text) => among([...choices(own).scenario, ALL], text) },
    machine: {
      write: (own, value) => machines()[value],
      read: (own, text) => choices(own).machine.find((at) => machines()[at] === text),
    },
    reference: { write: (own, value) => labels(own)[value], read: (own, text) => placed(labels(own), text) },
    sort: { read: (own, text) => among(["strategy", "rank", "trials", ...names(own)], text) },
    direction: { read: (own, text) => among(["ascending", "descending"], text) },
    rank: { read: (own, text) => among(names(own), text) },
    view: { read: (own, text) => among(["effect", "median"], text) },
    phases: { write: (own, value) => (value ? "yes" : "no"), read: (own, text) => text === "yes" },
  };

  const read = (own, pairs) => {
    const state = initial(own);
    for (const [field, code] of Object.entries(FIELDS)) {
      const text = pairs.get(`${own.id}:${field}`);
      state[field] = (text === undefined ? undefined : code.read(own, text)) ?? state[field];
    }
    for (const [name, values] of Object.entries(choices(own).params)) {
      const text = pairs.get(`${own.id}:param:${name}`);
      state.params[name] = (text === undefined ? undefined : among([...values, ALL], text)) ?? state.params[name];
    }
    return state;
  };

  /** Put what differs from the default into the address. */
  const write = (index) => {
    const [own, state, usual] = [task(index), states[index], defaults[index]];
    const patch = {};
    for (const [field, code] of Object.entries(FIELDS)) {
      const text = code.write ? code.write(own, state[field]) : state[field];
      patch[`${own.id}:${field}`] = state[field] === usual[field] ? null : text;
    }
    for (const [name, value] of Object.entries(state.params)) {
      patch[`${own.id}:param:${name}`] = value === usual.params[name] ? null : value;
    }
    bakeoff.hash.set(patch);
  };

  const tell = (index) => document.dispatchEvent(new CustomEvent("bakeoff:change", { detail: { task: index } }));

  /** Take all states from the address; those that differ from before are told. */
  const load = () => {
    const pairs = bakeoff.hash.read();
    bakeoff.payload.tasks.forEach((own, index) => {
      const before = states[index];
      defaults[index] ??= initial(own);
      states[index] = read(own, pairs);
      if (before && JSON.stringify(before) !== JSON.stringify(states[index])) tell(index);
    });
  };

  const merged = (state, patch) => ({ ...state, ...patch, params: { ...state.params, ...patch.params } });

  const set = (index, patch) => {
    states[index] = merged(states[index], patch);
    write(index);
    tell(index);
  };

  bakeoff.state = {
    ALL,
    load,
    set,
    isPhase: (measure) => measure.cost && measure.name.includes("."),
    choices: (index) => choices(task(index)),
    get: (index) => merged(states[index], {}),
    defaults: (index) => merged(defaults[index], {}),
    /** The cells that are shown, or would be with some choices changed. */
    cells: (index, patch = {}) => bakeoff.selection.select(task(index).cells, merged(states[index], patch)),
    /** The choices with cells that change fewest of the reader's. */
    nearest: (index) => bakeoff.selection.nearest(task(index).cells, states[index]),
  };
})();
