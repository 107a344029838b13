/* TimeTracker RX: small comforts. Every page works without this file; nothing here decides or sends anything.

   data-rx-check-all     a check box that ticks those in its table's body
   data-rx-selection     an element whose text is the number of ticked boxes; its data-rx-one and data-rx-other are
                         the sentences for one and for several, with "#" where the number stands
   data-rx-copy="#ID"    a button, hidden until now, that copies the text of that element; data-rx-copied says so in
                         place of its data-rx-label, and the icon becomes a tick
   data-rx-submit        a select or radio group that sends its form when it changes */
"use strict";

(() => {
  const openMenus = () => document.querySelectorAll("details.rx-menu[open]");

  /* Menus: one open at a time; Escape closes and gives the focus back; a click or the focus elsewhere closes. */
  document.addEventListener(
    "toggle",
    (event) => {
      const menu = event.target;
      if (!(menu instanceof HTMLDetailsElement) || !menu.matches(".rx-menu") || !menu.open) return;
      for (const other of openMenus()) if (other !== menu && !other.contains(menu)) other.open = false;
    },
    true, // the event does not bubble
  );
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const menu of openMenus()) {
      const hadFocus = menu.contains(document.activeElement);
      menu.open = false;
      if (hadFocus) menu.querySelector("summary").focus();
    }
  });
  const closeUnlessInside = (target) => {
    for (const menu of openMenus()) if (!menu.contains(target)) menu.open = false;
  };
  document.addEventListener("click", (event) => closeUnlessInside(event.target));
  document.addEventListener("focusin", (event) => closeUnlessInside(event.target));

  /* The tab of the current page is in view where the tabs scroll. */
  for (const tab of document.querySelectorAll(".rx-tabs [aria-current]")) {
    const tabs = tab.closest(".rx-tabs");
    const place = tab.getBoundingClientRect();
    const frame = tabs.getBoundingClientRect();
    if (place.right > frame.right) tabs.scrollLeft += place.right - frame.right;
  }

  /* Tables with check boxes: all at once, and how many. */
  const showSelection = (form) => {
    const boxes = [...form.querySelectorAll("tbody input[type=checkbox]")];
    const ticked = boxes.filter((box) => box.checked).length;
    const all = form.querySelector("[data-rx-check-all]");
    if (all) {
      all.checked = ticked > 0 && ticked === boxes.length;
      all.indeterminate = ticked > 0 && ticked < boxes.length;
    }
    for (const place of form.querySelectorAll("[data-rx-selection]")) {
      const sentence = ticked === 1 ? place.dataset.rxOne : place.dataset.rxOther;
      const number = ticked.toLocaleString(document.documentElement.lang);
      if (sentence && ticked) place.textContent = sentence.replace("#", number);
    }
  };
  document.addEventListener("change", (event) => {
    const field = event.target;
    const form = field.form;
    if (!form) return;
    if (field.matches("[data-rx-check-all]")) {
      for (const box of form.querySelectorAll("tbody input[type=checkbox]")) box.checked = field.checked;
    }
    if (field.matches("[type=checkbox]") && field.closest("table")) showSelection(form);
    if (field.closest("[data-rx-submit]")) form.requestSubmit();
  });
  /* A page that comes back from the history has its ticks, but not its number. */
  window.addEventListener("pageshow", () => {
    for (const place of document.querySelectorAll("[data-rx-selection]")) showSelection(place.closest("form"));
  });

  /* Copying, where the browser allows it (a secure context). */
  if (navigator.clipboard) {
    for (const button of document.querySelectorAll("[data-rx-copy]")) {
      const label = button.querySelector("[data-rx-label]");
      const symbol = button.querySelector("use");
      const before = { text: label.textContent, symbol: symbol.getAttribute("href") };
      const show = (text, reference) => {
        label.textContent = text;
        symbol.setAttribute("href", reference);
      };
      button.hidden = false;
      button.addEventListener("click", async () => {
        try {
          await navigator.clipboard.writeText(document.querySelector(button.dataset.rxCopy).textContent.trim());
        } catch {
          return; // refused by the browser: the text is there to be marked by hand
        }
        show(button.dataset.rxCopied, before.symbol.replace(/#.*/, "#check"));
        setTimeout(() => show(before.text, before.symbol), 2000);
      });
    }
  }
})();
