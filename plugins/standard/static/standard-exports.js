/* Exports with how far they are: rows that have been read, of those that are expected. Without this file the links are
   downloads, which browsers show in their own way; so are files that are too large to be kept until they are whole.

   data-rp-export    a link to a file, with about how many megabytes it has
   data-rp-progress  what shows the progress, with the number of rows; hidden until there is any
   The server sends frames, which plugins/standard/reports/progress.py describes. */
"use strict";

(() => {
  const place = document.querySelector("[data-rp-progress]");
  if (!place) return;
  const MEGABYTES_AT_MOST = 500;
  const HEAD = 8;
  const PARTS_AT_ONCE = 256;
  const bar = place.querySelector("progress");
  const shown = place.querySelector("[data-rp-rows]");
  const status = place.querySelector("[data-rp-status]");
  const cancel = place.querySelector("[data-rp-cancel]");
  const number = new Intl.NumberFormat(document.documentElement.lang);
  let running = null;

  const filled = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => number.format(values[name]));
  const show = (rows) => {
    bar.max = Math.max(1, rows, Number(place.dataset.rpProgress));
    bar.value = rows;
    shown.textContent = filled(place.dataset.rpSome, { done: rows, rows: bar.max });
  };

  async function* framesOf(body) {
    const reader = body.getReader();
    let rest = new Uint8Array();
    const has = async (size) => {
      while (rest.length < size) {
        const { done, value } = await reader.read();
        if (done) throw new Error("the file broke off");
        const joined = new Uint8Array(rest.length + value.length);
        joined.set(rest);
        joined.set(value, rest.length);
        rest = joined;
      }
    };
    for (;;) {
      await has(HEAD);
      const head = new DataView(rest.buffer, rest.byteOffset, HEAD);
      const [rows, size] = [head.getUint32(0), head.getUint32(4)];
      await has(HEAD + size);
      yield [rows, rest.slice(HEAD, HEAD + size)];
      if (!size) return;
      rest = rest.subarray(HEAD + size);
    }
  }

  const read = async (link, signal) => {
    const address = new URL(link.href);
    address.searchParams.set("progress", "1");
    const answer = await fetch(address, { signal });
    if (!answer.ok || answer.redirected) throw new Error(`status ${answer.status}`);
    const name = /filename="([^"]+)"/.exec(answer.headers.get("Content-Disposition"))[1];
    let parts = [];
    let last = 0;
    for await (const [rows, bytes] of framesOf(answer.body)) {
      parts.push(bytes);
      if (parts.length > PARTS_AT_ONCE) parts = [new Blob(parts)]; // which browsers may keep on disk
      last = rows;
      show(rows);
    }
    return { name, rows: last, file: new Blob(parts) };
  };

  const keep = ({ name, file }) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(file);
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  };

  const run = async (link) => {
    running = new AbortController();
    place.hidden = bar.hidden = cancel.hidden = false;
    show(0);
    status.textContent = place.dataset.rpBegun;
    try {
      const made = await read(link, running.signal);
      keep(made);
      bar.max = bar.value = Math.max(1, made.rows);
      status.textContent = filled(place.dataset.rpDone, { rows: made.rows });
    } catch {
      bar.hidden = true;
      status.textContent = running.signal.aborted ? place.dataset.rpEnded : place.dataset.rpFailed;
    }
    shown.textContent = "";
    cancel.hidden = true;
    running = null;
  };

  for (const link of document.querySelectorAll("[data-rp-export]")) {
    link.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey || Number(link.dataset.rpExport) > MEGABYTES_AT_MOST) return;
      event.preventDefault();
      if (!running) run(link);
    });
  }
  cancel.addEventListener("click", () => running?.abort());
  window.addEventListener("beforeunload", (event) => {
    if (running) event.preventDefault();
  });
})();
