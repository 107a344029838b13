/* The time sheet as a spreadsheet. The page works without this file: it is one form, which every button sends.

   Arrows and Enter move between cells, Tab goes on to the next one, Escape takes back what was typed, typing replaces
   what is there, F2 edits it; Shift+F2 opens the memo, Ctrl+Enter adds a task, Ctrl+S saves. What is changed turns amber and is counted; totals
   follow; whoever leaves with changes is asked. The search for tasks answers while one types. */
"use strict";

(() => {
  const form = document.querySelector("[data-ts-sheet]");
  if (!form) return;
  const table = form.querySelector(".ts-week");
  const rows = [...form.querySelectorAll("[data-ts-row]")];
  const hours = [...form.querySelectorAll(".ts-hours")];
  const status = form.querySelector("[data-ts-status]");
  const step = Number(form.dataset.tsStep) || 1;
  const DAY = 1440;
  let leaving = false;

  /* Durations as duration.py reads them; NaN where it would refuse. */
  const minutesOf = (text) => {
    const plain = text.normalize("NFKC").toLowerCase().replace(/\s+/gu, "");
    if (["", "-", "\u2212", "\u2013", "\u2014"].includes(plain)) return 0;
    const fromHours = (hoursText) => {
      const [, whole, part] = /^(\d*)(?:[.,](\d+))?$/.exec(hoursText);
      const scale = 10 ** (part ? part.length : 0);
      return Math.floor((Number(whole || 0) * scale + Number(part || 0)) * 60 / scale + 0.5);
    };
    let match = /^(\d{1,3}):([0-5]\d)$/.exec(plain);
    if (match) return Number(match[1]) * 60 + Number(match[2]);
    match = /^(\d{1,5})(?:m|min|mins|minutes?|分)$/.exec(plain);
    if (match) return Number(match[1]);
    match = /^(?:\d{0,4}[.,]\d{1,4}|\d{1,4})$/.exec(plain);
    if (match) return fromHours(plain);
    match = /^(\d{1,4}(?:[.,]\d{1,4})?)(?:h|hr|hrs|hours?|時間)(?:(\d{1,5})(?:m|min|mins|minutes?|分)?)?$/.exec(plain);
    return match ? fromHours(match[1]) + Number(match[2] || 0) : NaN;
  };
  const shown = (minutes) => `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, "0")}`;
  const shownOrDash = (minutes) => (minutes ? shown(minutes) : "\u2013");

  const cellOf = (field) => field.closest(".ts-cell");
  const memoOf = (field) => cellOf(field).querySelector("textarea");
  const memoButtonOf = (field) => cellOf(field).querySelector(".ts-memo");
  const numberOf = (element) => Number(/\bd(\d)\b/.exec(element.closest("td").className)[1]);

  /* What the server has: the page may show what was typed and refused, so that is read from the hidden field. */
  const saved = new Map();
  for (const field of hours) {
    const [, minutes] = cellOf(field).querySelector("input[type=hidden]").value.split(".");
    const memo = memoOf(field);
    saved.set(field, {
      text: field.classList.contains("is-changed") ? (Number(minutes) ? shown(Number(minutes)) : "") : field.defaultValue,
      memo: memo.defaultValue,
      refused: field.classList.contains("is-changed"),
      said: field.getAttribute("aria-invalid") === "true", // what only the server knows, such as a day that is too long
    });
  }
  const isSame = (field) => {
    const before = saved.get(field);
    if (memoOf(field).value !== before.memo) return false;
    if (before.refused && field.value === field.defaultValue) return false;
    const typed = minutesOf(field.value);
    return field.value.trim() === before.text || (!Number.isNaN(typed) && typed === minutesOf(before.text));
  };

  const isSaid = (field) =>
    saved.get(field).said &&
    minutesOf(field.value) === minutesOf(field.defaultValue) &&
    memoOf(field).value === memoOf(field).defaultValue;
  const isWrong = (field) => {
    const minutes = minutesOf(field.value);
    return Number.isNaN(minutes) || minutes > DAY || (minutes % step !== 0 && !isSame(field));
  };

  /* Totals: closed cells are text and count as they stand. */
  const worth = (cell) => {
    const field = cell.querySelector(".ts-hours");
    const minutes = minutesOf(field ? field.value : cell.querySelector("span")?.firstChild.textContent ?? "");
    return Number.isNaN(minutes) ? 0 : minutes;
  };
  const write = (element, text) => {
    if (element && element.firstChild) element.firstChild.textContent = text;
  };
  const total = () => {
    if (!table) return;
    const days = Array(8).fill(0);
    for (const row of rows) {
      let sum = 0;
      for (const cell of row.querySelectorAll("td.d")) {
        const minutes = worth(cell);
        sum += minutes;
        days[numberOf(cell)] += minutes;
      }
      write(row.querySelector("[data-ts-sum]"), shownOrDash(sum));
    }
    let week = 0;
    let expected = 0;
    for (let day = 1; day <= 7; day += 1) {
      week += days[day];
      const cell = form.querySelector(`[data-ts-total="${day}"]`);
      expected += Number(cell.dataset.tsExpected);
      write(cell, shownOrDash(days[day]));
      const lacks = "tsPast" in cell.dataset && days[day] < Number(cell.dataset.tsExpected);
      cell.classList.toggle("rx-lack", lacks);
      const words = cell.querySelector(".visually-hidden");
      if (words) words.hidden = !lacks;
      write(form.querySelector(`[data-ts-day="${day}"]`), shownOrDash(days[day]));
    }
    for (const element of document.querySelectorAll('[data-ts="week-total"]')) write(element, shown(week));
    const meter = document.querySelector('[data-ts="meter"]');
    if (meter && expected) meter.setAttribute("width", `${Math.min(100, (100 * week) / expected)}%`);
  };

  const changed = () => hours.filter((field) => !isSame(field));
  const refresh = (field) => {
    const differs = !isSame(field);
    field.classList.toggle("is-changed", differs);
    const wrong = differs && (isWrong(field) || isSaid(field));
    field.classList.toggle("is-invalid", wrong);
    if (wrong) field.setAttribute("aria-invalid", "true");
    else field.removeAttribute("aria-invalid");
    field.title = !differs || !isWrong(field) ? "" : Number.isNaN(minutesOf(field.value)) ? form.dataset.tsInvalid : form.dataset.tsSteps;
    const memo = memoOf(field).value.trim();
    const button = memoButtonOf(field);
    button.classList.toggle("has-memo", memo !== "");
    button.classList.toggle("is-changed", memo !== saved.get(field).memo.trim());
    button.title = memo;
    const count = changed().length;
    const text = count === 1 ? form.dataset.tsOne : form.dataset.tsOther.replace("#", String(count));
    if (status) status.textContent = count ? text : "";
    total();
  };
  form.addEventListener("input", (event) => {
    const cell = event.target.closest?.(".ts-cell");
    if (cell) refresh(cell.querySelector(".ts-hours"));
  });

  /* Leaving and saving */
  window.addEventListener("beforeunload", (event) => {
    if (!leaving && changed().length) event.preventDefault();
  });
  form.addEventListener("submit", () => {
    leaving = true;
  });
  window.addEventListener("pageshow", () => {
    leaving = false;
  });
  const save = () => form.requestSubmit(document.querySelector('button[form="sheet"][value="save"]') ?? undefined);
  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && !event.altKey && event.key.toLowerCase() === "s") {
      event.preventDefault();
      document.querySelector(".ts-note:popover-open")?.hidePopover();
      if (hours.length) save();
    }
    const adding = form.querySelector(".ts-add");
    if ((event.ctrlKey || event.metaKey) && event.key === "Enter" && adding) {
      event.preventDefault();
      adding.open = true;
      adding.querySelector("input").focus();
    }
  });

  /* Moving */
  const grid = rows.map((row) => [...row.querySelectorAll("td.d")].map((cell) => cell.querySelector(".ts-hours")));
  const isSeen = (field) => field && field.offsetParent !== null;
  const placeOf = (field) => {
    const row = grid.findIndex((fields) => fields.includes(field));
    return [row, grid[row].indexOf(field)];
  };
  const seek = (row, column, down, right) => {
    let [y, x] = [row + down, column + right];
    while (grid[y] && x >= 0 && x < 7) {
      if (isSeen(grid[y][x])) return grid[y][x];
      y += down;
      x += right;
    }
    return null;
  };
  const go = (field) => {
    if (!field) return false;
    field.focus();
    field.select();
    return true;
  };
  const flat = () => grid.flat().filter(isSeen);
  const neighbour = (field, distance) => {
    const all = flat();
    return all[all.indexOf(field) + distance] ?? null;
  };
  /* Whether the caret stands where an arrow would leave the text; a text that is selected as a whole is left at once. */
  const leaves = (field, key) => {
    const [from, to, length] = [field.selectionStart, field.selectionEnd, field.value.length];
    if (from === 0 && to === length) return true;
    return from === to && (key === "ArrowLeft" ? from === 0 : to === length);
  };
  const openMemo = (field) => {
    const note = cellOf(field).querySelector(".ts-note");
    if (note.showPopover) note.showPopover();
    memoOf(field).focus();
  };

  form.addEventListener("keydown", (event) => {
    const field = event.target;
    if (!(field instanceof HTMLInputElement) || !field.classList.contains("ts-hours")) return;
    if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
    const [row, column] = placeOf(field);
    let handled = false;
    switch (event.key) {
      case "ArrowUp":
        handled = go(seek(row, column, -1, 0));
        break;
      case "ArrowDown":
        handled = go(seek(row, column, 1, 0));
        break;
      case "ArrowLeft":
      case "ArrowRight":
        if (!event.shiftKey && leaves(field, event.key)) {
          handled = go(seek(row, column, 0, event.key === "ArrowLeft" ? -1 : 1));
        }
        break;
      case "Enter":
        go(seek(row, column, event.shiftKey ? -1 : 1, 0)) || field.select();
        handled = true; // the form is sent with Ctrl+S or the button, not by the last Enter of a column
        break;
      case "Tab":
        handled = go(neighbour(field, event.shiftKey ? -1 : 1)); // at either end Tab leaves the grid
        break;
      case "Escape":
        field.value = saved.get(field).text;
        refresh(field);
        field.select();
        handled = true;
        break;
      case "F2":
        if (event.shiftKey) openMemo(field);
        else field.setSelectionRange(field.value.length, field.value.length);
        handled = true;
        break;
      default:
    }
    if (handled) event.preventDefault();
  });
  for (const field of hours) {
    field.addEventListener("focus", () => field.select());
    field.addEventListener("mouseup", (event) => {
      if (field.selectionStart === 0 && field.selectionEnd === field.value.length) event.preventDefault();
    });
    field.addEventListener("change", () => {
      // What is understood is shown as everything else is; nothing is rounded.
      const minutes = minutesOf(field.value);
      if (!Number.isNaN(minutes) && minutes <= DAY) field.value = minutes ? shown(minutes) : "";
      refresh(field);
    });
    memoButtonOf(field).tabIndex = -1; // one stop a cell; Shift+F2 opens the memo
    const note = cellOf(field).querySelector(".ts-note");
    note.addEventListener("toggle", (event) => {
      if (event.newState === "closed" && cellOf(field).contains(document.activeElement)) field.focus();
    });
    refresh(field);
  }
  const keys = form.querySelector("[data-ts-keys]");
  if (keys) keys.hidden = false;

  /* After a page with errors: where the first is. After a row was added: in it. */
  const first = form.querySelector('.ts-hours[aria-invalid="true"], .has-conflict .ts-hours');
  const added = /^#row-\d+$/.test(location.hash) ? document.querySelector(location.hash) : null;
  if (isSeen(first)) go(first);
  else if (added) {
    // Going to the row, which cannot have the focus itself, the browser takes it from whatever has it.
    const enter = () =>
      setTimeout(() => {
        if (!form.contains(document.activeElement)) go([...added.querySelectorAll(".ts-hours")].find(isSeen));
      });
    if (document.readyState === "complete") enter();
    else window.addEventListener("load", enter, { once: true });
  }

  /* Adding: the page of the search, asked while one types. */
  const search = form.querySelector("[data-ts-search]");
  const list = form.querySelector("#task-list");
  if (search && list) {
    const offered = list.innerHTML;
    let asked = 0;
    let waiting;
    const show = async (words, number) => {
      const address = new URL(search.dataset.tsSearch, location.href);
      address.searchParams.set("q", words);
      try {
        const answer = await fetch(address, { headers: { Accept: "text/html" } });
        if (!answer.ok || number !== asked) return;
        const found = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("#task-list");
        if (found && number === asked) list.replaceChildren(...found.childNodes);
      } catch {
        /* The button still searches. */
      }
    };
    search.addEventListener("input", () => {
      clearTimeout(waiting);
      asked += 1;
      const number = asked;
      const words = search.value.trim();
      if (!words) list.innerHTML = offered;
      else waiting = setTimeout(() => show(words, number), 150);
    });
    search.addEventListener("keydown", (event) => {
      const buttons = [...list.querySelectorAll(".ts-offer")];
      if (event.key === "Enter" && buttons.length && search.value.trim() === "") event.preventDefault();
      else if (event.key === "Enter") {
        event.preventDefault();
        form.requestSubmit(form.querySelector('button[value="search"]'));
      } else if (event.key === "ArrowDown" && buttons.length) {
        event.preventDefault();
        buttons[0].focus();
      }
    });
    list.addEventListener("keydown", (event) => {
      const buttons = [...list.querySelectorAll(".ts-offer")];
      const at = buttons.indexOf(document.activeElement);
      const next = { ArrowDown: buttons[at + 1], ArrowUp: buttons[at - 1] ?? search }[event.key];
      if (at >= 0 && next) {
        event.preventDefault();
        next.focus();
      }
    });
    form.querySelector(".ts-add").addEventListener("toggle", (event) => {
      if (event.target.open && hours.length) search.focus();
    });
  }
})();
