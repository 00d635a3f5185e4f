import { $ } from './dom.js';

/** The two lists beside the room are drawers where there is no space for them. One is open at a time. */
const DRAWERS = [
  { panel: 'sidebar', opener: 'open-sidebar', wide: matchMedia('(min-width: 48rem)') },
  { panel: 'members', opener: 'open-members', wide: matchMedia('(min-width: 70rem)') },
];

export function setUpDrawers() {
  for (const drawer of DRAWERS) {
    $(drawer.opener).addEventListener('click', () => open(drawer));
    drawer.wide.addEventListener('change', closeDrawers);
  }
  for (const button of document.querySelectorAll('[data-close-drawer]')) button.addEventListener('click', closeDrawers);
  $('scrim').addEventListener('click', closeDrawers);
  document.addEventListener('keydown', ({ key }) => key === 'Escape' && closeDrawers());
  closeDrawers();
}

export function closeDrawers() {
  const opened = DRAWERS.find(({ panel }) => $(panel).classList.contains('is-open'));
  for (const { panel, opener, wide } of DRAWERS) {
    $(panel).classList.remove('is-open');
    $(opener).setAttribute('aria-expanded', String(wide.matches));
    // What cannot be seen cannot be reached with the keyboard either.
    $(panel).inert = !wide.matches;
  }
  $('scrim').hidden = true;
  setRoomInert(false);
  if (opened && !opened.wide.matches) $(opened.opener).focus();
}

function open(drawer) {
  if (drawer.wide.matches) return;
  closeDrawers();
  const panel = $(drawer.panel);
  panel.inert = false;
  panel.classList.add('is-open');
  $(drawer.opener).setAttribute('aria-expanded', 'true');
  $('scrim').hidden = false;
  setRoomInert(true);
  panel.querySelector('[data-close-drawer]').focus();
}

function setRoomInert(inert) {
  document.querySelector('main.room').inert = inert;
}
