// Choose: engine, release, GPU, model, precision. The answer is in answer.js.
const state = { engine: "", release: "", gpu: "", tp: "1", context: "", concurrency: "1", preset: "", model: "", parameters: "" };
const BLANK = { ...state };
let known = null;
let dropped = false;

function engineNow() {
  return known.engines.find((engine) => engine.id === state.engine) || known.engines[0];
}

function configNow(changed = {}) {
  const config = {};
  if (state.preset) config.preset = state.preset;
  for (const field of known.fields) {
    const value = field.key in changed ? changed[field.key] : state[field.key];
    if (value && !field.key.includes(".")) config[field.key] = value;
  }
  return config;
}

function modelNow() {
  const text = state.model.trim();
  if (dropped) return { checkpoint: "dropped", model: text || undefined };
  if (!text) return {};
  if (!text.startsWith("{")) return { checkpoint: text, model: text };
  try {
    return { checkpoint: JSON.parse(text) };
  } catch (problem) {
    return { problem: `The pasted config is not JSON: ${problem.message}` };
  }
}

function parametersNow() {
  const out = {};
  for (const word of state.parameters.split(/\s+/).filter(Boolean)) {
    const at = word.indexOf("=");
    if (at < 0) out[word.replace(/^-+/, "")] = true;
    else out[word.slice(0, at).replace(/^-+/, "")] = word.slice(at + 1);
  }
  return out;
}

// The flag by which this release takes the number of GPUs that share each layer, asked of the core itself.
const flagsOfGpus = new Map();

function flagOfGpus() {
  const place = `${state.engine}@${state.release}`;
  if (!flagsOfGpus.has(place)) {
    const field = known.fields.find((one) => one.key.endsWith(".tensor_parallel_size"));
    const [section, key] = field.key.split(".");
    const found = ask("explain", { runtime: state.engine, engine_version: state.release, quant_config: { [section]: { [key]: 2 } } });
    const flag = found.answer && Object.entries(found.answer.args).find(([, value]) => value === "2");
    flagsOfGpus.set(place, flag ? flag[0].replace(/^-+/, "") : "");
  }
  return flagsOfGpus.get(place);
}

function questionNow(changed) {
  const parameters = parametersNow();
  if (Number(state.tp) > 1 && flagOfGpus()) parameters[flagOfGpus()] ??= state.tp;
  const question = { runtime: state.engine, engine_version: state.release, quant_config: configNow(changed), user_parameters: parameters };
  if (state.gpu.trim()) question.gpu = state.gpu.trim();
  const { checkpoint, model } = modelNow();
  if (checkpoint !== undefined) question.checkpoint = checkpoint;
  if (model) question.model = model;
  return question;
}

const fourFields = () => known.fields.filter((field) => !field.key.includes(".") && field.form === known.presets[0].form);

// What the preset sets where nothing else is chosen.
function impliedNow() {
  if (!state.preset) return {};
  const found = ask("explain", { runtime: state.engine, engine_version: state.release, quant_config: { preset: state.preset } });
  return found.answer ? found.answer.config : {};
}

function showChips() {
  fill(byId("presets"), known.presets.map((preset) => chip("preset", preset.id, { pressed: state.preset === preset.id, why: preset.use_case, note: preset.recommended_for })));
  const implied = impliedNow();
  fill(byId("fields"), fourFields().map((field) => el("div", { role: "group", "aria-label": field.label }, el("h3", {}, field.label),
    el("div", { class: "chips" }, ...field.options.map((option) => chip(field.key, option, {
      pressed: state[field.key] === option, implied: !state[field.key] && implied[field.key] === option,
    }))))));
  judgeLater(implied);
}

// What would become of each value: asked one by one after the answer is there, so that no change has to wait for it.
let judging = 0;

function judgeLater(implied) {
  const waiting = fourFields().flatMap((field) => field.options.map((option) => [field.key, option]));
  judging += 1;
  const turn = judging;
  const step = () => {
    const until = performance.now() + 8;
    while (waiting.length && performance.now() < until) judge(...waiting.shift(), implied);
    if (waiting.length && turn === judging) setTimeout(() => turn === judging && step());
    else if (turn === judging) byId("fields").dataset.judged = String(turn);
  };
  setTimeout(() => turn === judging && step());
}

function judge(key, option, implied) {
  const found = ask("explain", questionNow({ [key]: option }));
  const one = found.answer && found.answer.decisions.find((item) => item.field === key);
  const shown = document.querySelector(`#fields [data-key="${key}"][data-value="${option}"]`);
  const fresh = chip(key, option, {
    pressed: state[key] === option, implied: !state[key] && implied[key] === option,
    kind: one ? kindOf(one.outcome) : "bad", outcome: one ? one.outcome : "not taken", why: one ? one.sentence : found.errors[0]?.message,
  });
  const focused = document.activeElement === shown;
  shown.replaceWith(fresh);
  if (focused) fresh.focus();
}

function chip(key, value, { pressed, implied, kind = "good", outcome = "", why, note }) {
  const look = { bad: " refused", plain: " plain" }[kind] || "";
  const sign = kind === "good" ? "" : ` ${SIGNS[kind][0]}`;
  const label = [value, kind === "good" ? "" : said(outcome), implied ? "from the preset" : ""].filter(Boolean).join(", ");
  return el("button", {
    type: "button", class: `chip${look}${implied ? " implied" : ""}`, "aria-pressed": String(pressed), "aria-label": note ? false : label,
    title: why || false, "data-key": key, "data-value": value,
    onclick: () => { change({ [key]: pressed ? "" : value }, `[data-key="${key}"][data-value="${value}"]`); },
  }, implied ? "• " : null, el("span", { class: "name" }, value), sign, note ? el("span", { class: "note" }, note) : null);
}
