// Check what somebody would run: every launch of a script, with a verdict on each argument.
function showVerdicts() {
  const place = byId("verdicts");
  const line = byId("line").value;
  if (!line.trim()) {
    fill(place, card("A dry run", el("p", { class: "soft" }, "Paste a command or a script that starts a server. Each argument is judged by the release's own rules; nothing is started.")));
    return;
  }
  const question = { command: line };
  for (const [key, id] of [["engine", "check-engine"], ["engine_version", "check-release"], ["gpu", "check-gpu"]]) {
    const value = byId(id).value.trim();
    if (value) question[key] = value;
  }
  const found = ask("check", question);
  const notes = found.errors || found.answer.notes;
  if (found.errors || !found.answer.launches.length) {
    fill(place, card("This cannot be judged", errorsShown(notes)));
    return;
  }
  const { launches } = found.answer;
  const refused = launches.filter(isRefused).length;
  fill(
    place,
    launches.length > 1 ? el("p", { id: "launches" }, el("strong", { class: refused ? "bad" : "good" }, `${refused ? "✗" : "✓"} ${count(launches.length, "launch", "launches")}, ${refused} refused`)) : null,
    launches.map((launch) => launchJudged(launch, launches.length > 1)),
    notesShown(notes, new Set()),
  );
}

const isRefused = (launch) => launch.verdicts.some((one) => one.refused) || launch.notes.some((item) => item.severity === "error");

function launchJudged(launch, several) {
  const bad = isRefused(launch);
  const refused = launch.verdicts.filter((one) => one.refused).length;
  const plain = launch.verdicts.filter((one) => one.verdict === "accepted" && !one.reason);
  const others = launch.verdicts.filter((one) => !plain.includes(one)).sort((a, b) => Number(b.refused) - Number(a.refused));
  const release = launch.asked ? `${launch.version} in place of ${launch.asked}` : launch.version;
  const whole = launch.notes.filter((item) => item.severity === "error");
  const rest = launch.notes.filter((item) => item.severity === "warning");
  return el("section", { class: "card launch" },
    el("div", { class: "head" }, el("h2", {}, `${launch.engine_name} ${release}`), el("p", {}, [several ? `line ${launch.line}` : "", launch.model].filter(Boolean).join(" · "))),
    el("p", { id: several ? false : "judged" }, el("strong", { class: bad ? "bad" : "good" }, bad ? "✗ refused" : "✓ accepted"),
      ` ${whole.length ? "as a whole; " : ""}${refused} of ${count(launch.verdicts.length, "argument")} refused`),
    el("ul", { class: "plain" },
      ...whole.map((item) => el("li", {}, badge("refused", "bad"), el("span", {}, item.message), item.hint ? el("span", { class: "why" }, item.hint) : null)),
      ...others.map(verdictShown),
      ...rest.map((item) => el("li", {}, badge("note", "turned"), el("span", {}, item.message)))),
    plain.length ? el("details", others.length ? {} : { open: "" }, el("summary", {}, `✓ ${count(plain.length, "argument")} plainly accepted`),
      el("ul", {}, ...plain.map((one) => el("li", {}, el("code", {}, `${one.argument} ${one.value}`.trim()))))) : null);
}

function verdictShown(one) {
  return el("li", {}, badge(one.verdict), el("code", {}, ...unbroken(`${one.argument} ${one.value}`.trim())),
    one.reason ? el("span", { class: "why" }, one.reason) : null, one.hint ? el("span", { class: "why" }, `Instead: ${one.hint}`) : null);
}
