/* The timer in the bar, on its page and on the dashboard. Everything works without this file: it lets the time go on,
   offers tasks when the menu is opened, and looks again when a tab comes back into view.

   data-tm-seconds        an element with the time that has passed, in seconds when the page was made
   data-tm-to-the-second  shows seconds too, unless the person wants little motion
   data-tm-menu           the menu in the bar; its value is the address of the tasks to offer
   Nothing is announced: a screen reader says the time when it is asked for. */
"use strict";

(() => {
  const loaded = Date.now(); // not performance.now(), which stands still while a computer sleeps
  const calm = window.matchMedia("(prefers-reduced-motion: reduce)");
  const two = (number) => String(number).padStart(2, "0");
  const bar = () => document.getElementById("timer-bar");
  const LOOK_AGAIN_MS = 60_000;

  const show = () => {
    const passed = Math.floor((Date.now() - loaded) / 1000);
    let wait = 60;
    for (const element of document.querySelectorAll("[data-tm-seconds]")) {
      const seconds = Number(element.dataset.tmSeconds) + passed;
      const fine = "tmToTheSecond" in element.dataset && !calm.matches;
      const text = `${Math.floor(seconds / 3600)}:${two(Math.floor(seconds / 60) % 60)}`;
      const whole = fine ? `${text}:${two(seconds % 60)}` : text;
      if (element.textContent !== whole) element.textContent = whole;
      wait = Math.min(wait, fine ? 1 : 60 - (seconds % 60));
    }
    return wait;
  };
  const tick = () => {
    const wait = document.hidden ? 60 : show();
    setTimeout(tick, wait * 1000 - ((Date.now() - loaded) % 1000) + 20);
  };
  tick();

  /* Tasks to start in one press, asked for when the menu is opened for the first time. */
  const fill = async (menu) => {
    const place = menu.querySelector("[data-tm-offers]");
    if (place.dataset.asked) return;
    place.dataset.asked = "yes";
    try {
      const answer = await fetch(menu.dataset.tmMenu, { headers: { Accept: "text/html" } });
      if (!answer.ok || answer.redirected) return;
      const found = new DOMParser().parseFromString(await answer.text(), "text/html");
      place.replaceChildren(...found.body.childNodes);
    } catch {
      delete place.dataset.asked; // the link below leads to the same tasks
    }
  };
  document.addEventListener(
    "toggle",
    (event) => {
      if (event.target instanceof HTMLDetailsElement && event.target.open && event.target.dataset.tmMenu) fill(event.target);
    },
    true, // the event does not bubble
  );

  /* Another tab may have started or stopped it: the bar is fetched anew when this one is looked at again, and at most
     once a minute. What else the page shows stays, since somebody may be typing. */
  let looked = loaded;
  const look = async () => {
    if (document.hidden || Date.now() - looked < LOOK_AGAIN_MS || !bar()) return;
    looked = Date.now();
    try {
      const answer = await fetch(bar().dataset.tmBar, { headers: { Accept: "text/html" } });
      if (!answer.ok || answer.redirected) return;
      const found = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("timer-bar");
      if (!found || bar().contains(document.activeElement)) return;
      const passed = Math.floor((Date.now() - loaded) / 1000);
      for (const element of found.querySelectorAll("[data-tm-seconds]")) element.dataset.tmSeconds -= passed;
      bar().replaceWith(found);
      show();
    } catch {
      /* The next page will show it. */
    }
  };
  document.addEventListener("visibilitychange", look);
  window.addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    looked = 0;
    look();
  });
})();
