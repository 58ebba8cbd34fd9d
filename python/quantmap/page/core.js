// The core: one function, a question as data, the answer as data.
const core = { exports: null, files: new Map() };
const utf8 = { from: new TextDecoder(), to: new TextEncoder() };

function bytesAt(address, size) {
  return new Uint8Array(core.exports.memory.buffer, address, size);
}

function nameAt(address, size) {
  return utf8.from.decode(bytesAt(address, size));
}

// What the core asks of files that somebody gave to the page.
const fileCalls = {
  size(name, length) {
    const file = core.files.get(nameAt(name, length));
    return file ? file.size : -1;
  },
  read(name, length, offset, out, count) {
    const file = core.files.get(nameAt(name, length));
    if (!file || offset >= file.head.length) return 0;
    const piece = file.head.subarray(offset, Math.min(offset + count, file.head.length));
    bytesAt(out, piece.length).set(piece);
    return piece.length;
  },
  names(out, room) {
    const text = utf8.to.encode([...core.files.keys()].join("\n"));
    if (room) bytesAt(out, Math.min(room, text.length)).set(text.subarray(0, room));
    return text.length;
  },
};

async function openCore() {
  const packed = Uint8Array.from(atob(document.getElementById("module").textContent), (c) => c.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  const module = await WebAssembly.compile(await new Response(stream).arrayBuffer());
  // What the C library would ask of a system; the core never gets there.
  const nothing = new Proxy({}, { get: () => () => 52 });
  const instance = await WebAssembly.instantiate(module, { wasi_snapshot_preview1: nothing, files: fileCalls });
  core.exports = instance.exports;
  if (core.exports._initialize) core.exports._initialize();
}

function ask(what, question = {}) {
  const text = utf8.to.encode(JSON.stringify({ ask: what, ...question }));
  const place = core.exports.qm_reserve(text.length);
  bytesAt(place, text.length).set(text);
  const found = core.exports.qm_answer(place, text.length);
  core.exports.qm_release(place);
  const size = new DataView(core.exports.memory.buffer).getUint32(found, true);
  const answer = JSON.parse(nameAt(found + 4, size));
  core.exports.qm_release(found);
  return answer;
}

// The beginnings of model files: configs whole, of weights the header only.
const MOST_TEXT = 64 << 20, MOST_HEADER = 100 << 20, GGUF_HEAD = 32 << 20, MOST_FILES = 10000;

async function takeFiles(list) {
  core.files.clear();
  let read = 0;
  for (const file of [...list].slice(0, MOST_FILES)) {
    let want = 0;
    if (/\.(json|txt|model)$/.test(file.name)) want = Math.min(file.size, MOST_TEXT);
    else if (file.name.endsWith(".gguf")) want = Math.min(file.size, GGUF_HEAD);
    else if (file.name.endsWith(".safetensors") && file.size >= 8) {
      const size = new DataView(await file.slice(0, 8).arrayBuffer()).getBigUint64(0, true);
      want = size < BigInt(MOST_HEADER) ? Math.min(file.size, 8 + Number(size)) : 8;
    }
    const head = new Uint8Array(await file.slice(0, want).arrayBuffer());
    core.files.set(file.name, { size: file.size, head });
    read += head.length;
  }
  return read;
}
