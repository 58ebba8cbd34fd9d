// Building what is shown. Text is only ever set as text, so nothing that a file holds can become markup.
function el(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value !== false && value != null) node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child != null));
  return node;
}

function drawn(tag, properties, ...children) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(properties)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

function fill(place, ...children) {
  place.replaceChildren(...children.flat().filter((child) => child != null));
}

const byId = (id) => document.getElementById(id);
const card = (title, ...children) => el("section", { class: "card" }, title ? el("h2", {}, title) : null, ...children.flat());

// An outcome or verdict: a sign, a word and a colour.
const SIGNS = {
  good: ["✓", "good"], turned: ["↓", "turned"], plain: ["–", "soft"], bad: ["✗", "bad"],
};
const KINDS = {
  applied: "good", renamed: "good", accepted: "good", fits: "good", degraded: "turned", "falls-back": "turned", tight: "turned",
  "fits-with-less-context": "turned", assumed: "turned", "fails-later": "turned", deprecated: "turned", "known-trouble": "turned",
  "no-effect": "plain", ignored: "plain", replaced: "plain", nothing: "plain", "not-needed": "plain", unknown: "plain", dropped: "bad", "not-supported": "bad",
  "cannot-serve": "bad", "unknown-flag": "bad", "value-not-accepted": "bad", "refused-at-start": "bad", "does-not-fit": "bad", refused: "bad",
};
const kindOf = (word) => KINDS[word] || "plain";
const said = (word) => word.replaceAll("-", " ");

function badge(word, kind = kindOf(word)) {
  const [sign, colour] = SIGNS[kind];
  return el("span", { class: `badge ${colour}` }, `${sign} ${said(word)}`);
}

function errorsShown(errors) {
  return el("ul", { class: "plain" }, ...errors.map((item) =>
    el("li", {}, badge("error", "bad"), el("span", {}, item.message), item.hint ? el("span", { class: "why" }, item.hint) : null)));
}

// A line of words, of which none is broken at its hyphens.
function unbroken(text) {
  return text.split(" ").flatMap((word, place) => [place ? " " : "", el("span", { class: "word" }, word)]);
}

function copyButton(name, text, first) {
  const button = el("button", { type: "button", class: first ? "act first" : "act" }, name);
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
    } catch {
      button.textContent = "Select the line and copy it";
    }
    setTimeout(() => { button.textContent = name; }, 1500);
  });
  return button;
}

// A page of the documentation, where this page stands beside it.
function docs(page, name) {
  const base = document.querySelector("meta[name=quantmap-docs]").content;
  return base ? el("a", { href: base + page }, name) : null;
}

const count = (number, one, many = `${one}s`) => `${number.toLocaleString("en")} ${number === 1 ? one : many}`;
const grouped = new Intl.NumberFormat("en", { maximumSignificantDigits: 4 });
const inGb = (bytes) => `${grouped.format(Number((bytes / 1e9).toPrecision(3)))} GB`;
