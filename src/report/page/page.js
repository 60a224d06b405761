
'use strict';
(() => {
  const cards = [...document.querySelectorAll('main article')];
  const words = document.getElementById('words');
  const form = document.querySelector('.filters');
  const selects = [...form.querySelectorAll('select')];
  const shown = document.getElementById('shown');
  let texts = null;
  let current = -1;

  const text = (at) => {
    texts ??= cards.map((card) => card.textContent.toLowerCase());
    return texts[at];
  };

  const apply = () => {
    const wanted = words.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
    const chosen = selects.filter((select) => select.value).map((select) => [select.dataset.filter, select.value]);
    let count = 0;
    cards.forEach((card, at) => {
      const fits = chosen.every(([name, value]) => card.dataset[name].split('\n').includes(value))
        && wanted.every((word) => text(at).includes(word));
      card.hidden = !fits;
      count += fits;
    });
    shown.textContent = `${count} of ${cards.length} credentials`;
    current = -1;
  };

  const go = (step) => {
    for (let at = current + step; at >= 0 && at < cards.length; at += step) {
      if (!cards[at].hidden) {
        current = at;
        cards[at].focus();
        cards[at].scrollIntoView({ block: 'nearest' });
        return;
      }
    }
  };

  form.addEventListener('input', apply);
  form.addEventListener('submit', (event) => event.preventDefault());
  form.addEventListener('reset', () => setTimeout(apply));
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest('input, select')) {
      if (event.key === 'Escape') event.target.blur();
      return;
    }
    const keys = {
      '/': () => words.focus(),
      j: () => go(1),
      k: () => go(-1),
      o: () => cards[current]?.querySelectorAll('details').forEach((part) => { part.open = !part.open; }),
      x: () => form.reset(),
    };
    if (keys[event.key]) {
      event.preventDefault();
      keys[event.key]();
    }
  });
  let closed = [];
  addEventListener('beforeprint', () => {
    closed = [...document.querySelectorAll('main article:not([hidden]) details:not([open])')];
    closed.forEach((part) => { part.open = true; });
  });
  addEventListener('afterprint', () => closed.forEach((part) => { part.open = false; }));
})();
