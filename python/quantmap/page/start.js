// Wiring: controls to state, state to the address, tabs, and the first answer.
const VIEWS = ["choose", "check", "compare", "words"];
const NUMBERS = ["tp", "context", "concurrency"];
const CHECKED = ["line", "check-engine", "check-release", "check-gpu"];
const CONTROLS = ["engine", "release", "gpu", "tp", "context", "concurrency", "model", "parameters"];

function change(changed, focus) {
  Object.assign(state, changed);
  if ("engine" in changed && !engineNow().releases.includes(state.release)) state.release = engineNow().releases.at(-1);
  save();
  show();
  if (focus) document.querySelector(focus)?.focus();
}

function save() {
  const kept = new URLSearchParams();
  for (const [key, value] of Object.entries(state)) if (value && !(key === "model" && value.length > 20000)) kept.set(key, value);
  kept.set("view", document.querySelector("[role=tab][aria-selected=true]").id.slice(4));
  for (const id of CHECKED) if (byId(id).value) kept.set(id, byId(id).value);
  history.replaceState(null, "", `#${kept}`);
}

function restore() {
  const kept = new URLSearchParams(location.hash.slice(1));
  const keys = new Set([...Object.keys(state), ...known.fields.map((field) => field.key)]);
  for (const key of keys) state[key] = BLANK[key] || "";
  for (const [key, value] of kept) {
    if (keys.has(key)) state[key] = NUMBERS.includes(key) ? value.replace(/\D/g, "").slice(0, 9) : value.slice(0, 20000);
  }
  if (!known.engines.some((engine) => engine.id === state.engine)) state.engine = known.engines[0].id;
  if (!engineNow().releases.includes(state.release)) state.release = engineNow().releases.at(-1);
  if (!known.presets.some((preset) => preset.id === state.preset)) state.preset = "";
  for (const id of CHECKED) byId(id).value = (kept.get(id) || "").slice(0, 20000);
  if (byId("check-engine").selectedIndex < 0) byId("check-engine").value = "";
  return kept.get("view");
}

function options(id, values, chosen) {
  byId(id).replaceChildren(...values.map(([value, name]) => el("option", { value, selected: value === chosen ? "" : false }, name)));
}

function show() {
  options("release", [...engineNow().releases].reverse().map((release) => [release, release]), state.release);
  for (const id of CONTROLS) if (byId(id).value !== state[id]) byId(id).value = state[id];
  showAnswer();
  showChips();
}

function openTab(name, focus) {
  for (const tab of document.querySelectorAll("[role=tab]")) {
    const on = tab.id === `tab-${name}`;
    tab.setAttribute("aria-selected", String(on));
    tab.tabIndex = on ? 0 : -1;
    byId(tab.getAttribute("aria-controls")).hidden = !on;
    if (on && focus) tab.focus();
  }
  document.body.classList.toggle("choosing", name === "choose");
  if (name === "check") showVerdicts();
}

function wireTabs() {
  const tabs = [...document.querySelectorAll("[role=tab]")];
  tabs.forEach((tab, place) => {
    tab.addEventListener("click", () => { openTab(tab.id.slice(4)); save(); });
    tab.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (step) { openTab(tabs[(place + step + tabs.length) % tabs.length].id.slice(4), true); save(); }
    });
  });
}

// A box that takes dropped files, and the inputs that open them.
function wireFiles(box, inputs, take) {
  const stop = (event) => { event.preventDefault(); byId(box).classList.toggle("over", event.type === "dragover"); };
  for (const kind of ["dragover", "dragleave", "drop"]) byId(box).addEventListener(kind, stop);
  byId(box).addEventListener("drop", (event) => take(event.dataTransfer.files));
  for (const id of inputs) byId(id).addEventListener("change", ({ target }) => {
    const given = [...target.files];
    target.value = "";  // so that the same file may be opened again, which has grown
    take(given);
  });
}

async function takeModel(list) {
  if (!list.length) return;
  const read = await takeFiles(list);
  dropped = true;
  const found = ask("inspect", { checkpoint: "dropped" });
  const what = found.errors ? found.errors[0].message : modelWords(found.answer);
  byId("dropped").textContent = `${count(core.files.size, "file")}, ${grouped.format(read / 1e6)} MB read: ${what}`;
  show();
}

function modelWords(model) {
  const shape = model.architecture ? model.architecture.model_type : null;
  return `${model.quantization.title}, ${shape || "no config"}${model.weights ? `, ${inGb(model.weights.bytes)} of weights` : ""}`;
}

async function start() {
  const began = performance.now();
  await openCore();
  known = ask("start").answer;
  options("engine", known.engines.map((engine) => [engine.id, engine.name]));
  options("check-engine", [["", "as the line says"], ...known.engines.map((engine) => [engine.id, engine.name])]);
  byId("gpus").replaceChildren(...known.gpus.map((name) => el("option", { value: name })));
  byId("models").replaceChildren(...known.models.map((name) => el("option", { value: name })));
  const view = restore();
  for (const id of CONTROLS) byId(id).addEventListener("input", () => {
    if (id === "model") dropped = false;
    change({ [id]: byId(id).value });
  });
  for (const id of CHECKED) byId(id).addEventListener("input", () => { showVerdicts(); save(); });
  for (const form of document.forms) form.addEventListener("submit", (event) => event.preventDefault());
  byId("check-engine").addEventListener("change", () => {
    const engine = known.engines.find((one) => one.id === byId("check-engine").value);
    byId("check-releases").replaceChildren(...(engine ? engine.releases : []).map((release) => el("option", { value: release })));
  });
  wireTabs();
  wireFiles("drop", ["files", "folder"], takeModel);
  wireFiles("drop-results", ["results"], takeResults);
  for (const id of ["up", "across"]) byId(id).addEventListener("change", showCompared);
  const given = byId("given").textContent.trim();
  if (given) byId("loaded").textContent = `${readResults([given]) ? "these results cannot be read" : "the results that came with this page"}; open others here`;
  else showCompared();
  openTab(VIEWS.includes(view) ? view : given ? "compare" : "choose");
  fill(byId("about"), `Catalogue ${known.version}, ${known.hash.slice(0, 12)}. This page runs by itself: nothing is sent anywhere. `, docs("index.html", "Documentation"));
  show();
  window.addEventListener("hashchange", () => { const to = restore(); openTab(VIEWS.includes(to) ? to : "choose"); show(); });
  document.documentElement.dataset.ready = String(Math.round(performance.now() - began));
}

start();
